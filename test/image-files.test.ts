import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, RawImage } from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRecipe, type RunEvent, train } from '../src/index.ts';
import { randomStream } from '../src/random.ts';
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
