import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkRecipe } from '../src/recipe/parse.ts';
import { check } from '../src/run/check.ts';
import { distill } from '../src/run/distill.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { plan } from '../src/run/plan.ts';
import { train } from '../src/run/train.ts';
import { fileHash } from './support/file-hash.ts';
import { writeClothes } from './support/small-clothes.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
beforeAll(() => writeClothes(place.path('clothes')));
afterAll(() => place.remove());

/** Scenes of rectangles, a detector for them. */
function recipeOf(name: string, more: Record<string, unknown> = {}) {
  return checkRecipe({
    name,
    task: 'object-detection',
    data: {
      source: {
        ...{ kind: 'scenes', path: 'clothes', size: 32, things: [1, 2], sides: [0.4, 0.6] },
        ...{ train: 320, validation: 60, test: 80 },
      },
      augmentation: { crop: 2, flip: true, zoom: 0.1, colour: 0.1, views: 2 },
    },
    inputs: { image: { modality: 'image', field: 'image' } },
    outputs: { boxes: { target: 'boxes', field: 'boxes', grid: [8, 8], width: 16 } },
    student: { kind: 'resnet', width: 8, stages: 2, blocks: 1, stride: 2 },
    training: {
      ...{
        epochs: 12,
        batchSize: 16,
        optimizer: { kind: 'adamw', learningRate: 0.01 },
        earlyStopping: false,
      },
    },
    baseline: { epochs: 2 },
    export: { int8: { maxDrop: 0.5 } },
    store: 'store',
    ...more,
  });
}

describe('boxes', () => {
  test('are learnt from moved images, shipped, drawn in the report, and measured again alike', async () => {
    const options = place.options('teacher');
    const result = await train(recipeOf('teacher'), options);
    expect(result.metrics.map(({ name }) => name)).toEqual(['mAP@50', 'mAP', 'boxesF1@50']);
    expect(result.student.metrics['mAP@50']).toBeGreaterThan(0.2);
    expect(result.student.metrics['boxesF1@50']).toBeGreaterThan(0.2);
    const again = await evaluate(options.out, {});
    for (const { name, value } of again.metrics)
      expect(value).toBeCloseTo(result.student.metrics[name] as number, 5);
    const config = JSON.parse(readFileSync(place.path('runs', 'teacher', 'student', 'config.json'), 'utf8'));
    expect(config).toMatchObject({ model_type: 'yolos', num_labels: 3, limbeck: { grid: [8, 8] } });
    expect(config.limbeck.threshold).toBeGreaterThan(0.05);
    expect(existsSync(place.path('runs', 'teacher', 'student', 'onnx', 'model_quantized.onnx'))).toBe(true);
    const page = readFileSync(place.path('runs', 'teacher', 'report.html'), 'utf8');
    expect(page).toContain('Images with their boxes');
  });

  test('are taught by a teacher of images, and end in the same bits where the run was cut off', async () => {
    const teacher = { kind: 'onnx-image', model: 'runs/teacher/student' };
    const recipe = recipeOf('taught', {
      teacher,
      training: {
        epochs: 4,
        batchSize: 16,
        optimizer: { kind: 'adamw', learningRate: 0.01 },
        earlyStopping: false,
      },
      objective: [
        { kind: 'centreFocalKd', channels: [4, null] },
        { kind: 'centreSizesKd', weight: 0.1 },
        { kind: 'centreFocal', weight: 0.5, channels: [4, null] },
        { kind: 'centreSizes', weight: 0.05, channels: [0, 4] },
        { kind: 'featurePyramid', weight: 0.1, scales: [4, 2, 1] },
      ],
    });
    const checked = await check(recipe, place.options('check'));
    expect(JSON.stringify(checked)).toContain('scenes of garments');
    const planned = await plan(recipe, place.options('plan'));
    expect(planned.stages.length).toBeGreaterThan(3);
    const whole = await distill(recipe, place.options('whole'));
    expect(whole.teacher?.metrics['mAP@50']).toBeGreaterThan(0.2);
    expect(whole.student.metrics['mAP@50']).toBeGreaterThan(0.05);
    expect(whole.baselines?.map(({ name }) => name)).toEqual(['labels']);
    const stop = new AbortController();
    const cut = place.options('cut', {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.stage === 'train' && event.done > 40) stop.abort();
      },
    });
    await expect(distill(recipe, cut)).rejects.toMatchObject({ code: 'run.interrupted' });
    const resumed = await distill(recipe, place.options('cut'));
    expect(resumed.student.metrics).toEqual(whole.student.metrics);
    for (const file of ['onnx/model.onnx', 'onnx/model_quantized.onnx']) {
      const [a, b] = ['whole', 'cut'].map((run) => fileHash(place.path('runs', run, 'student', file)));
      expect(a).toBe(b);
    }
  });
});

test('images with boxes as COCO lists them are read in their own pixels; broken boxes break their rows', async () => {
  const good = { category_id: 1, bbox: [8, 4, 16, 12] };
  const images = Array.from({ length: 24 }, (_, id) => ({ id, file_name: `${id}.png` }));
  const annotations = [
    ...images.slice(0, 20).map(({ id }) => ({ ...good, image_id: id })),
    { image_id: 20, category_id: 1, bbox: [30, 4, 16, 12] },
    { image_id: 21, category_id: 2, bbox: [8, 4, 16, 12] },
    { image_id: 22, category_id: 1, bbox: [8, 4, -3, 12] },
    { image_id: 23, category_id: 1, bbox: [8, null, 3, 12] },
  ];
  mkdirSync(place.path('coco'));
  place.write('coco/a.json', JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'thing' }] }));
  for (const { id, file_name } of images) {
    const background = { r: 10 * id, g: 0, b: 0 };
    await sharp({ create: { width: 40, height: 20, channels: 3, background } })
      .png()
      .toFile(place.path('coco', file_name));
  }
  const recipe = (fit: string) =>
    checkRecipe({
      name: 'coco',
      task: 'object-detection',
      data: {
        source: { kind: 'coco', annotations: 'coco/a.json' },
        splits: { validation: 4, test: 4 },
      },
      inputs: { image: { modality: 'image', field: 'image', size: 16, fit } },
      student: { kind: 'resnet', width: 8, stages: 2, blocks: 1 },
    });
  const { broken, rows, splits } = await check(recipe('stretch'), place.options('coco'));
  expect([rows, splits.train]).toEqual([24, 12]);
  expect(broken.first.map(({ where, problem }) => [where, problem])).toEqual([
    ['a.json/20 (images[20], 20.png)', expect.stringMatching(/outside of the image.*pixels of 40x20/)],
    ['a.json/21 (images[21], 21.png)', expect.stringMatching(/'category 2' in 'boxes'/)],
    ['a.json/22 (images[22], 22.png)', expect.stringMatching(/without an area/)],
    ['a.json/23 (images[23], 23.png)', expect.stringMatching(/null is no number/)],
  ]);
  await expect(check(recipe('crop'), place.options('cropped'))).rejects.toMatchObject({
    code: 'data.options',
  });
});
