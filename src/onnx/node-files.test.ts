import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeExternalTensor } from './encode-tensor.ts';
import type { Graph, Value } from './graph.ts';
import { readModelFile, writeModelFile } from './node-files.ts';
import { ModelProtoSchema } from './schema/onnx.gen.ts';
import { float32 } from './tensor.ts';
import { describeGraph } from './testing/describe-graph.ts';
import { writeModelWithExternalData } from './write-model.ts';

const content = float32(Array.from({ length: 512 }, (_, i) => i));
const w: Value = { name: 'w', type: 'float32', shape: [512] };
const graph: Graph = {
  name: 'g',
  inputs: [],
  outputs: [w],
  nodes: [],
  initializers: new Map([[w, content]]),
  opsets: new Map([['', 18]]),
  metadata: new Map(),
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-onnx-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('writeModelFile', () => {
  it('writes one file, or two when asked, that readModelFile reads', () => {
    for (const externalData of [false, true]) {
      const path = join(folder, `${externalData}.onnx`);
      writeModelFile(path, graph, { externalData });
      expect(describeGraph(readModelFile(path))).toEqual(describeGraph(graph));
    }
    expect(readdirSync(folder).sort()).toEqual(['false.onnx', 'true.onnx', 'true.onnx_data']);
    expect(statSync(join(folder, 'true.onnx')).size).toBeLessThan(300);
    expect(statSync(join(folder, 'true.onnx_data')).size).toBe(2048);
  });

  it('leaves the old file and nothing else when it cannot write', () => {
    const path = join(folder, 'model.onnx');
    writeFileSync(path, 'old');
    // A folder lies where the data file belongs.
    mkdirSync(join(folder, 'model.onnx_data', 'full'), { recursive: true });
    expect(() => writeModelFile(path, graph, { externalData: true })).toThrow(
      expect.objectContaining({ code: 'model.write', where: join(folder, 'model.onnx_data') }),
    );
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', 'model.onnx_data']);
  });

  it('says where it could not write', () => {
    const path = join(folder, 'missing', 'model.onnx');
    expect(() => writeModelFile(path, graph)).toThrow(
      expect.objectContaining({ code: 'model.write', where: path }),
    );
  });
});

describe('readModelFile', () => {
  const bytes = new Uint8Array(content.data.length * 4).fill(1);
  /** A model whose only tensor lies at `location`. */
  const modelAt = (location: string, name = 'model.onnx') => {
    const path = join(folder, 'models', name);
    mkdirSync(join(folder, 'models'), { recursive: true });
    writeFileSync(path, writeModelWithExternalData(graph, { fileName: location }).model);
    return path;
  };
  const external = expect.objectContaining({ code: 'model.external-data' });

  it('reads data beside the model and in folders below it', () => {
    const path = modelAt('weights/part.bin');
    mkdirSync(join(folder, 'models', 'weights'));
    writeFileSync(join(folder, 'models', 'weights', 'part.bin'), bytes);
    const [tensor] = readModelFile(path).initializers.values();
    expect((tensor!.data as Float32Array).buffer.byteLength).toBe(2048);
  });

  it('reads nothing outside the folder of the model', () => {
    writeFileSync(join(folder, 'secret.bin'), bytes);
    for (const location of [
      '../secret.bin',
      'x/../../secret.bin',
      '..\\secret.bin',
      join(folder, 'secret.bin'),
      'C:\\secret.bin',
      'secret.bin\0',
    ]) {
      expect(() => readModelFile(modelAt(location)), location).toThrow(external);
    }
  });

  it('follows no link out of the folder, of a file or of a folder', () => {
    writeFileSync(join(folder, 'secret.bin'), bytes);
    const path = modelAt('link.bin');
    symlinkSync(join(folder, 'secret.bin'), join(folder, 'models', 'link.bin'));
    expect(() => readModelFile(path)).toThrow('a link out of the folder');
    symlinkSync(folder, join(folder, 'models', 'up'));
    expect(() => readModelFile(modelAt('up/secret.bin', 'b.onnx'))).toThrow('a link out of the folder');
  });

  it('reads a hub cache, where model and data are links into one folder of blobs', () => {
    const blobs = join(folder, 'blobs');
    mkdirSync(blobs);
    writeFileSync(
      join(blobs, 'a1'),
      writeModelWithExternalData(graph, { fileName: 'model.onnx_data' }).model,
    );
    writeFileSync(join(blobs, 'b2'), bytes);
    mkdirSync(join(folder, 'snapshot'));
    symlinkSync('../blobs/a1', join(folder, 'snapshot', 'model.onnx'));
    symlinkSync('../blobs/b2', join(folder, 'snapshot', 'model.onnx_data'));
    expect(readModelFile(join(folder, 'snapshot', 'model.onnx')).initializers.size).toBe(1);
  });

  it('checks offset and length against the size of the file', () => {
    const path = modelAt('short.bin');
    writeFileSync(join(folder, 'models', 'short.bin'), bytes.subarray(0, 100));
    expect(() => readModelFile(path)).toThrow('bytes 0 to 2048 of a file of 100 bytes');
    writeFileSync(
      join(folder, 'models', 'short.bin'),
      'version https://git-lfs.github.com/spec/v1\noid sha256:a\n',
    );
    expect(() => readModelFile(path)).toThrow('the data file is a git-lfs pointer');
  });

  it('does not let a small file fill the memory through many tensors', () => {
    const many: Graph = {
      ...graph,
      outputs: [],
      initializers: new Map(Array.from({ length: 50 }, (_, i) => [{ ...w, name: `w${i}` }, content])),
    };
    const { model } = writeModelWithExternalData(many, { fileName: 'data.bin' });
    // All tensors at offset 0 of a file that holds one.
    const proto = fromBinary(ModelProtoSchema, model);
    for (const tensor of proto.graph!.initializer) tensor.externalData[1]!.value = '0';
    writeFileSync(join(folder, 'model.onnx'), toBinary(ModelProtoSchema, proto));
    writeFileSync(join(folder, 'data.bin'), bytes);
    expect(() => readModelFile(join(folder, 'model.onnx'))).toThrow('share the same bytes');
  });

  it('names the file and the tensor in errors', () => {
    const path = modelAt('missing.bin');
    expect(() => readModelFile(path)).toThrow(
      expect.objectContaining({ where: `${path}: initializer 'w': data file 'missing.bin'` }),
    );
    expect(() => readModelFile(join(folder, 'none.onnx'))).toThrow(
      expect.objectContaining({ code: 'model.not-found', where: join(folder, 'none.onnx') }),
    );
    expect(() => readModelFile(folder)).toThrow(expect.objectContaining({ code: 'model.unreadable' }));
  });

  it('refuses a folder as data', () => {
    const path = modelAt('weights');
    mkdirSync(join(folder, 'models', 'weights'));
    expect(() => readModelFile(path)).toThrow('not a file');
  });

  it.skipIf(process.platform === 'win32')('waits for no pipe', () => {
    const path = modelAt('pipe.bin');
    execFileSync('mkfifo', [join(folder, 'models', 'pipe.bin'), join(folder, 'pipe.onnx')]);
    expect(() => readModelFile(path)).toThrow('not a file');
    expect(() => readModelFile(join(folder, 'pipe.onnx'))).toThrow('not a file');
    expect(() => writeModelFile(join(folder, 'pipe.onnx'), graph)).toThrow('not a file');
  });

  it('writes lengths and offsets as ONNX wants them', () => {
    const proto = encodeExternalTensor('w', content, 'file', 64);
    expect(proto.externalData.map(({ key, value }) => [key, value])).toEqual([
      ['location', 'file'],
      ['offset', '64'],
      ['length', '2048'],
    ]);
  });
});
