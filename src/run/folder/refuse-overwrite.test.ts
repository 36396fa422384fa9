import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { float32 } from '../../onnx/tensor.ts';
import { compile } from '../compile.ts';
import { differentiate } from '../differentiate.ts';

let folder: string;
let model: string;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-overwrite-'));
  model = at('model.onnx');
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2, 3]);
  const w = g.initializer('w', float32(new Float32Array(3 * 512), [3, 512]));
  const logits = g.op('MatMul', [x, w], {}, { name: 'logits' });
  g.output(logits);
  g.output(g.reduceMean(logits, { keepDims: false }), 'loss');
  writeModelFile(model, g.build(), { externalData: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Every file of the folder with its content. */
const contents = () =>
  readdirSync(folder).map((name) => (name === 'sub' ? name : `${name}: ${readFileSync(at(name), 'base64')}`));

const overwrite = expect.objectContaining({ code: 'model.overwrite' });

describe('what was read is never written', () => {
  const names: [string, () => string][] = [
    ['the model', () => model],
    ['its data', () => at('model.onnx_data')],
    ['a relative path', () => relative(process.cwd(), model)],
    ['a path through another folder', () => join(folder, 'sub', '..', 'model.onnx_data')],
    ['a link', () => at('link.onnx')],
    ['a link to the data', () => at('data-link.onnx')],
    ['a hard link', () => at('hard.onnx')],
    ['a hard link to the data', () => at('data-hard.onnx')],
    ['another case', () => at('MODEL.onnx')],
  ];
  it.each(names)('under %s', async (_, path) => {
    mkdirSync(at('sub'));
    symlinkSync(model, at('link.onnx'));
    symlinkSync(at('model.onnx_data'), at('data-link.onnx'));
    linkSync(model, at('hard.onnx'));
    linkSync(at('model.onnx_data'), at('data-hard.onnx'));
    const before = contents();
    await expect(differentiate(model, { loss: 'loss', out: path() })).rejects.toEqual(overwrite);
    const options = { objectives: [{ kind: 'labels' as const }], out: at('step.onnx') };
    await expect(compile(model, { ...options, output: 'logits', parameters: path() })).rejects.toEqual(
      overwrite,
    );
    await expect(compile(model, { ...options, output: 'logits', forward: path() })).rejects.toEqual(
      overwrite,
    );
    expect(contents()).toEqual(before);
  });
});

describe('several files are written together', () => {
  const options = () => ({
    objectives: [{ kind: 'labels' as const }],
    output: 'logits',
    out: at('step.onnx'),
    parameters: at('start.safetensors'),
    forward: at('forward.onnx'),
  });

  it('each under a name of its own', async () => {
    for (const twice of [{ parameters: at('step.onnx') }, { forward: at('STEP.json') }]) {
      await expect(compile(model, { ...options(), ...twice })).rejects.toEqual(overwrite);
    }
  });

  it('all or none: where one cannot be, the old ones stay', async () => {
    writeFileSync(at('step.onnx'), 'old step');
    mkdirSync(at('step.json'));
    await expect(compile(model, options())).rejects.toMatchObject({
      code: 'model.write',
      where: at('step.json'),
    });
    expect(readFileSync(at('step.onnx'), 'utf8')).toBe('old step');
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', 'model.onnx_data', 'step.json', 'step.onnx']);
    rmSync(at('step.json'), { recursive: true });
    await compile(model, options());
    expect(readdirSync(folder).sort()).toEqual([
      'forward.onnx',
      'model.onnx',
      'model.onnx_data',
      'start.safetensors',
      'step.json',
      'step.onnx',
    ]);
  });
});
