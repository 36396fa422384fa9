import { mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph-builder.ts';
import { modelPieces } from '../model-pieces.ts';
import { openModelFile, readModelFile, writeModelFile } from '../node-files.ts';
import { isStored, rangeOf } from '../stored-tensor.ts';
import { float32 } from '../tensor.ts';
import { describeGraph } from '../testing/describe-graph.ts';
import { writeModel } from '../write-model.ts';
import { skimModel } from './skim-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-open-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two layers with weights of 40,000 bytes, a bias of 400, and a branch that has a weight of its own. */
function twoLayers() {
  const g = new GraphBuilder();
  const weight = (seed: number) =>
    float32(
      Array.from({ length: 10_000 }, (_, i) => Math.sin(i + seed)),
      [100, 100],
    );
  const x = g.input('x', 'float32', ['batch', 100]);
  const h = g.add(
    g.matMul(x, g.initializer('w1', weight(1))),
    g.initializer('b', float32(Array(100).fill(0.5))),
  );
  g.output(g.matMul(g.relu(h), g.initializer('w2', weight(2))), 'y');
  g.setMetadata('made', 'here');
  return g.build('two layers');
}

describe.each([false, true])('openModelFile, external data: %s', (externalData) => {
  const path = join(folder, `${externalData}.onnx`);
  writeModelFile(path, twoLayers(), { externalData });

  it('gives the model with its weights left in the file', () => {
    const { graph, files } = openModelFile(path, 1024);
    expect(describeGraph(graph)).toEqual(describeGraph(readModelFile(path)));
    const stored = [...graph.initializers].filter(([, tensor]) => isStored(tensor));
    expect(stored.map(([{ name }]) => name)).toEqual(['w1', 'w2']);
    expect(files).toEqual(externalData ? [path, `${path}_data`] : [path]);
    for (const [, tensor] of stored) {
      const { path: file, offset, length } = rangeOf(tensor)!;
      const bytes = readFileSync(file).subarray(offset, offset + length);
      expect(new Float32Array(Uint8Array.from(bytes).buffer)).toEqual(tensor.data);
    }
  });

  it('is written again as it would be from memory', () => {
    const { graph } = openModelFile(path, 1024);
    expect(Buffer.concat([...modelPieces(graph)])).toEqual(Buffer.from(writeModel(twoLayers())));
    const again = join(mkdtempSync(join(folder, 'again-')), `${externalData}.onnx`);
    writeModelFile(again, graph, { externalData });
    for (const end of externalData ? ['', '_data'] : [''])
      expect(readFileSync(`${again}${end}`).equals(readFileSync(`${path}${end}`))).toBe(true);
  });

  it('reads no weight from a file that was changed since', () => {
    const { graph } = openModelFile(path, 1024);
    const weight = [...graph.initializers.values()].find(isStored)!;
    utimesSync(rangeOf(weight)!.path, new Date(0), new Date(0));
    expect(() => weight.data).toThrow(expect.objectContaining({ code: 'model.external-data' }));
  });
});

describe('skimModel', () => {
  it('holds no more than the model without its weights', () => {
    const path = join(folder, 'skimmed.onnx');
    writeModelFile(path, twoLayers());
    expect(readFileSync(path).byteLength).toBeGreaterThan(80_000);
    expect(skimModel(path, 'skimmed.onnx', 1024).byteLength).toBeLessThan(2000);
  });

  it('tells files that are cut short, and files that are no models', () => {
    const path = join(folder, 'short.onnx');
    for (const bytes of [700, 40_000, 60_001]) {
      writeFileSync(path, writeModel(twoLayers()));
      truncateSync(path, bytes);
      expect(() => openModelFile(path, 1024)).toThrow(
        expect.objectContaining({ code: 'model.malformed', where: expect.stringContaining(path) }),
      );
    }
    writeFileSync(path, '<html></html>');
    expect(() => openModelFile(path, 1024)).toThrow(expect.objectContaining({ code: 'model.malformed' }));
    expect(() => openModelFile(join(folder, 'none.onnx'))).toThrow(
      expect.objectContaining({ code: 'model.not-found' }),
    );
  });
});
