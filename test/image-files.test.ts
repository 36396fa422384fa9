import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, RawImage } from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accuracyOf, distill, parseRecipe, type RunEvent, train } from '../src/index.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { float32 } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { ModelHub } from '../src/teachers/testing/model-hub.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
const COLOURS = { reds: [200, 60, 50], blues: [40, 70, 210] } as const;
const ENDINGS = ['png', 'jpg', 'webp'] as const;

/** An image of a class: its colour with noise, of any size. */
async function drawn(label: keyof typeof COLOURS, index: number): Promise<Buffer> {
  const random = randomStream(index, 'drawn', label);
  const [width, height] = [12 + random.integer(30), 12 + random.integer(30)];
  const data = Buffer.from(
    Uint8Array.from({ length: width * height * 3 }, (_, i) => COLOURS[label][i % 3]! + random.integer(45)),
  );
  const ending = ENDINGS[index % ENDINGS.length] as (typeof ENDINGS)[number];
  return sharp(data, { raw: { width, height, channels: 3 } })
    .toFormat(ending === 'jpg' ? 'jpeg' : ending)
    .toBuffer();
}

beforeAll(async () => {
  for (const label of ['reds', 'blues'] as const) {
    const folder = place.path('images', label);
    mkdirSync(folder, { recursive: true });
    for (let i = 0; i < 60; i++)
      writeFileSync(join(folder, `${i}.${ENDINGS[i % ENDINGS.length]}`), await drawn(label, i));
  }
  const whole = await drawn('reds', 0);
  writeFileSync(place.path('images', 'reds', 'cut.png'), whole.subarray(0, 200));
  writeFileSync(place.path('images', 'reds', 'page.jpg'), '<html>not found</html>');
  writeFileSync(place.path('images', 'blues', 'other.png'), await drawn('blues', 1));
});
afterAll(() => place.remove());

it('learns from a folder of image files; broken ones are counted, and the student reads files in transformers.js', {
  timeout: patience(120),
}, async () => {
  const recipe = parseRecipe(`
name: files
task: image-classification
inputs: { image: { modality: image, field: image, size: 16 } }
data:
  source: { kind: image-folder, path: images }
  splits: { validation: 0.2, test: 0.2 }
  augmentation: { crop: 1, zoom: 0.1, turn: 5, colour: 0.05, views: 2 }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
training: { epochs: 20, batchSize: 24, optimizer: { kind: adamw, learningRate: 0.01 }, earlyStopping: false }
export: { int8: false }
`);
  const events: RunEvent[] = [];
  const result = await train(recipe, { ...place.options('files'), onEvent: (event) => events.push(event) });
  const told = events.flatMap((event) => (event.type === 'log' ? [event.message] : []));
  expect(
    told.some((message) => message.startsWith('2 broken rows were left out; the first: reds/cut.png')),
  ).toBe(true);
  expect(result.student.accuracy).toBeGreaterThan(0.9);
  const student = place.path('runs', 'files', 'student');
  expect(JSON.parse(readFileSync(join(student, 'preprocessor_config.json'), 'utf8'))).toMatchObject({
    image_processor_type: 'CLIPImageProcessor',
    size: { shortest_edge: 16 },
    crop_size: { height: 16, width: 16 },
    resample: 1,
  });
  const classify = await pipeline('image-classification', student, { dtype: 'fp32', local_files_only: true });
  for (const label of ['reds', 'blues'] as const) {
    const bytes = await drawn(label, 1000);
    const [best] = (await classify(await RawImage.fromBlob(new Blob([new Uint8Array(bytes)])))) as {
      label: string;
    }[];
    expect(best?.label).toBe(label);
  }
});

it('learns at 8 pixels from a teacher of a hub that sees every image, and each of its views, at 24 by its own preprocessing', {
  timeout: patience(120),
}, async () => {
  const folder = place.path('teacher');
  mkdirSync(folder, { recursive: true });
  const g = new GraphBuilder();
  const pixels = g.input('pixel_values', 'float32', ['batch', 3, 24, 24]);
  const means = g.reduceMean(pixels, { axes: [2, 3], keepDims: false });
  // Blue more than red, and red more than blue.
  g.output(g.matMul(means, g.initializer('weight', float32([-3, 3, 0, 0, 3, -3], [3, 2]))), 'logits');
  writeModelFile(join(folder, 'model.onnx'), g.build());
  const about = { architectures: ['ViTForImageClassification'], model_type: 'vit' };
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...about, id2label: { 0: 'blues', 1: 'reds' } }),
  );
  const normalized = { do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
  writeFileSync(
    join(folder, 'preprocessor_config.json'),
    JSON.stringify({ do_resize: true, size: { height: 24, width: 24 }, resample: 3, ...normalized }),
  );
  const hub = new ModelHub('someone/blue-or-red');
  for (const name of ['model.onnx', 'config.json', 'preprocessor_config.json'])
    hub.files.set(name, readFileSync(join(folder, name)));
  const endpoint = await hub.start();
  const recipe = parseRecipe(`
name: sizes
task: image-classification
inputs: { image: { modality: image, field: image, size: 8 } }
data:
  source: { kind: image-folder, path: images }
  splits: { validation: 0.2, test: 0.2 }
  augmentation: { crop: 1, zoom: 0.1, views: 2 }
teacher: { kind: hub, model: someone/blue-or-red, endpoint: '${endpoint}' }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
objective: { kd: { weight: 1 } }
training: { epochs: 12, batchSize: 24, optimizer: { kind: adamw, learningRate: 0.01 }, earlyStopping: false }
export: { int8: false }
`);
  const result = await distill(recipe, place.options('sizes', { baseline: false })).finally(() => hub.stop());
  expect(accuracyOf(result.teacher)).toBe(1);
  expect(accuracyOf(result.student)).toBeGreaterThan(0.8);
  // Every training image in both of its views.
  expect(result.teacherCalls).toBeGreaterThan(100);
  const shipped = readFileSync(place.path('runs', 'sizes', 'student', 'preprocessor_config.json'), 'utf8');
  expect(JSON.parse(shipped)).toMatchObject({ crop_size: { height: 8, width: 8 } });
});
