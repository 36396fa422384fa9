import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeModelFile } from '../../onnx/node-files.ts';
import { randomStream } from '../../random.ts';
import { knowledgeSchema } from '../../recipe/knowledge.ts';
import { inspectModel } from '../../run/inspect-model.ts';
import { bert } from '../../students/bert.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { resnet } from '../../students/resnet.ts';
import { runCli } from '../testing/run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-inspect-'));
  const random = randomStream(1, 'model');
  const texts = buildClassifier(bert, bert.options.parse({ width: 16, layers: 2 }), {
    vocabularySize: 50,
    classes: 5,
    maxLength: 12,
    random,
  });
  const images = buildClassifier(resnet, resnet.options.parse({ blocks: 1 }), {
    channels: 1,
    height: 28,
    width: 28,
    classes: 5,
    random,
  });
  writeModelFile(join(folder, 'bert.onnx'), texts.graph);
  writeModelFile(join(folder, 'resnet.onnx'), images.graph);
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: string[]) => runCli(['inspect', ...args], folder, { inspectModel });

describe('inspect', () => {
  test('shows the layers of a transformer, and taps that a recipe takes', async () => {
    const { code, out } = await run('bert.onnx');
    expect(code).toBe(0);
    expect(out).toMatch(/^bert\.onnx: transformer, 2 layers\n/);
    expect(out).toMatch(/attention +4 heads +encoder\/layer\.0\/attention\/self\/probabilities\n/);
    expect(out).toMatch(/input_ids +int64\[batch, sequence\]/);
    const { knowledge } = parse(out.slice(out.indexOf('knowledge:'))) as { knowledge: object };
    expect(knowledgeSchema.parse(knowledge).taps?.teacher).toEqual({
      attention: ['encoder/layer.*/attention/self/probabilities'],
      hidden: ['encoder/layer.*/output'],
    });
  });

  test('shows the feature maps of a convolutional network in 80 columns', async () => {
    const { out } = await run('resnet.onnx');
    expect(out).toMatch(/^0 {2}stage_1\/block_1 {2}stage_1\/output {2}16x28x28 {2}ends stage$/m);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('lists values with their shapes and operators, all or those that match', async () => {
    const { out } = await run('bert.onnx', '--match', '*probabilities');
    expect(out).toMatch(/probabilities +float32\[batch, 4, sequence, sequence\] +Identity\n/);
    const all = JSON.parse((await run('bert.onnx', '--all', '--json')).out) as { values: { name: string }[] };
    expect(all.values.map(({ name }) => name)).toEqual(expect.arrayContaining(['input_ids', 'logits']));
  });

  test('--size gives numbers to open sizes', async () => {
    const { out } = await run('bert.onnx', '--size', 'sequence=7', '--match', '*.0/output');
    expect(out).toMatch(/float32\[batch, 7, 16\]/);
    expect(await run('bert.onnx', '--size', 'length=7')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no symbolic size 'length'[\s\S]*batch, sequence/),
    });
  });

  test('says what is wrong with a name, a file and a damaged model', async () => {
    expect((await run('bert.onnx', '--match', 'logit')).err).toMatch(/nearest names: 'logits'/);
    expect((await run('none.onnx')).err).toMatch(/model\.not-found/);
    await writeFile(join(folder, 'damaged.onnx'), 'no model');
    const { code, out, err } = await run('damaged.onnx');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/model\.malformed/);
  });
});
