import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distill, inspectModel, openImageWriter, parseRecipe, train } from '../src/index.ts';
import { KnowledgeStore } from '../src/knowledge/store.ts';
import { float32, zeros } from '../src/onnx/tensor.ts';
import type { RunResult } from '../src/report/result.ts';
import { patience } from './support/patience.ts';
import { writeClothes } from './support/small-clothes.ts';

/** A student that says what is there and where it is, and writes a sentence about it. */
const recipe = (name: string, more = '') => `
name: ${name}
task: object-detection
data:
  source: { kind: scenes, path: clothes, size: 32, things: [1, 2], sides: [0.4, 0.62], train: 48, validation: 12, test: 24 }
  labelsPerClass: 24
inputs:
  image: { modality: image, field: image }
outputs:
  classes: { target: classes, field: classes }
  boxes: { target: boxes, field: boxes, grid: [8, 8], width: 8 }
  sentence: { target: sentence, field: text, width: 8, heads: 2, layers: 1 }
student: { kind: resnet, width: 4, stages: 2, blocks: 1, stride: 2 }
training: { epochs: 1, batchSize: 12 }
${more}`;

let folder: string;
let taught: RunResult;
const options = (name: string) => ({
  out: join(folder, name),
  recipeFolder: folder,
  storePath: join(folder, 'store'),
  timingSeconds: 0,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-heads-'));
  writeClothes(join(folder, 'clothes'));
  await train(parseRecipe(recipe('teacher', 'export: { int8: false }')), options('teacher'));
  const teacher = 'teacher: { kind: onnx-image, model: teacher/student, precision: f32 }';
  taught = await distill(parseRecipe(recipe('taught', teacher)), options('taught'));
}, patience(120_000));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('one student with three heads', () => {
  it('is taught its sentences by words that are drawn of what its teacher says', async () => {
    const teacher =
      'teacher: { kind: onnx-image, model: teacher/student, precision: f32 }\nexport: { int8: false }';
    const text = recipe('drawn', teacher)
      .replace('layers: 1 }', 'layers: 1, keep: { sampled: 8 } }')
      .replace('train: 48', 'train: 24');
    const { student } = await distill(parseRecipe(text), {
      ...options('drawn'),
      storeFolder: join(folder, 'own'),
    });
    expect(student.metrics['sentence/perplexity']).toBeGreaterThan(1);
    const rows = readFileSync(join(folder, 'drawn', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const losses = rows.flatMap((row) =>
      Object.entries(JSON.parse(row)).flatMap(([name, value]) =>
        name.includes('nextTokenKd') ? [value] : [],
      ),
    );
    expect(losses.length).toBeGreaterThan(0);
    expect(losses.every(Number.isFinite)).toBe(true);
    const store = await KnowledgeStore.open(join(folder, 'own'));
    const kept = (await store.list()).filter(({ tap, dims }) => tap === 'sentence' && dims[1] === 16);
    expect(kept).toHaveLength(1);
    await store.close();
  });

  it('is measured by what it writes, as its teacher is, and in int8', () => {
    for (const { metrics } of [taught.student, taught.studentInt8!, taught.teacher!]) {
      expect(metrics['sentence/perplexity']).toBeGreaterThan(1);
      expect(metrics['sentence/bleu4']).toBeGreaterThanOrEqual(0);
      expect(metrics['sentence/exactMatch']).toBeGreaterThanOrEqual(0);
      expect(metrics['classes/macroAuroc']).toBeGreaterThan(0);
      expect(metrics['boxes/mAP@50']).toBeGreaterThanOrEqual(0);
    }
  });

  it('leaves in two files, with its words, and shows boxes and sentences beside each other', () => {
    const student = join(folder, 'taught', 'student');
    for (const file of ['model', 'model_quantized', 'decoder_model', 'decoder_model_quantized'])
      expect(existsSync(join(student, 'onnx', `${file}.onnx`))).toBe(true);
    const config = JSON.parse(readFileSync(join(student, 'config.json'), 'utf8'));
    expect(config.limbeck.outputs.sentence.sentence.words).toContain('trousers');
    expect(config.limbeck.outputs.classes.thresholds).toHaveLength(3);
    const page = readFileSync(join(folder, 'taught', 'report.html'), 'utf8');
    expect(page).toContain('Images with their boxes and sentences');
    expect(page).toContain('class="written"');
  });

  it('is read with the image alone', async () => {
    const writer = await openImageWriter(join(folder, 'taught'), { precision: 'int8' });
    const { sentences, outputs } = await writer.read(zeros('float32', [2, 3, 32, 32]));
    expect(sentences).toHaveLength(2);
    expect(sentences[0]).toBe(sentences[1]);
    expect(outputs.boxes!.dims).toEqual([2, 7, 8, 8]);
    expect(outputs.classes!.dims).toEqual([2, 3]);
    // Refused with both sizes, and not by the runtime.
    for (const [pixels, problem] of [
      [
        zeros('float32', [1, 3, 16, 32]),
        /the pixels are \[1, 3, 16, 32\], and the model reads \[batch, 3, 32, 32\]/,
      ],
      [zeros('float32', [3, 32, 32]), /the pixels are \[3, 32, 32\], and/],
      [zeros('int64', [1, 3, 32, 32]), /the pixels are int64, not float32/],
      [{ ...zeros('float32', [1, 3, 32, 32]), data: new Float32Array(7) }, /7 numbers, and .* are 3072/],
      [float32(new Float32Array(3072).fill(Number.NaN), [1, 3, 32, 32]), /values that are no numbers/],
    ] as const)
      await expect(writer.read(pixels)).rejects.toMatchObject({
        code: 'model.inputs',
        message: expect.stringMatching(problem),
      });
    await writer.release();
    await expect(openImageWriter(folder)).rejects.toThrow(/no student that writes/);
    await expect(openImageWriter(join(folder, 'taught'), { precision: 'q9' as 'int8' })).rejects.toThrow(
      "there is no precision 'q9'",
    );
  });

  it('has the parameters of both files', async () => {
    const file = (name: string) => join(folder, 'taught', 'student', 'onnx', `${name}.onnx`);
    const [image, text] = [await inspectModel(file('model')), await inspectModel(file('decoder_model'))];
    const { student } = JSON.parse(readFileSync(join(folder, 'taught', 'result.json'), 'utf8')) as RunResult;
    expect(student.parameters).toBe(image.parameters + text.parameters);
  });
});
