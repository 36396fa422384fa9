import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import { pipeline } from '@huggingface/transformers';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32 } from '../src/crc32.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { ownReader } from '../src/export/own-reader.ts';
import { transformersReader } from '../src/export/transformers-reader.ts';
import { train } from '../src/index.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import type { TaskData } from '../src/run/context/task.ts';
import { checkShipped } from '../src/run/shipping/check-shipped.ts';
import { openTask } from '../src/run/tasks/index.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { patience } from './support/patience.ts';
import { writeQuarters } from './support/small-pictures.ts';
import { RunPlace } from './support/small-run.ts';
import { serveFolder } from './support/static-server.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const RECIPES = {
  texts: parseRecipe(`
name: texts
data:
  source: { kind: jsonl, path: data.jsonl }
  splits: { validation: 60, test: 60 }
  maxLength: 16
  buckets: [8, 16]
student: { kind: bert, width: 16, heads: 2, layers: 1, feedForward: 16 }
training: { epochs: 2, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.01 } }
export: { int8: { maxDrop: 0.5, maxBytes: 160000 }, q4: { maxDrop: 0.5 }, fp16: { maxDrop: 0.5 } }
`),
  ngrams: parseRecipe(`
name: ngrams
data:
  source: { kind: jsonl, path: data.jsonl }
  splits: { validation: 60, test: 60 }
  maxLength: 16
  buckets: [8, 16]
student: { kind: text-ngrams, longest: 3, buckets: 512, convolution: { embedding: 8, width: 8 } }
training: { epochs: 2, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.01 } }
export: { int8: { maxDrop: 0.5 }, q4: { maxDrop: 0.5, expand: run }, fp16: { maxDrop: 0.5 } }
`),
  images: parseRecipe(`
name: images
task: image-classification
data:
  source: { kind: idx, path: pictures, classes: [a, b, c, d] }
  splits: { validation: 40 }
student: { kind: resnet, width: 16, stages: 1, blocks: 1 }
training: { epochs: 4, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.02 } }
export: { int8: { maxDrop: 0.5 }, q4: { maxDrop: 0.5, zeroPoints: true, block: 16 }, fp16: { maxDrop: 0.5 } }
`),
} satisfies Record<string, Recipe>;

beforeAll(async () => {
  writeJsonLines(place.path('data.jsonl'), await readGlosses(120));
  writeQuarters(place.path('pictures'), { train: 160, test: 60 });
}, patience(20));

describe.each(['texts', 'ngrams', 'images'] as const)('the shipped student of %s', (kind) => {
  const recipe: Recipe = RECIPES[kind];
  const student = place.path('runs', kind, 'student');
  const run = { recipe, engine: createNodeEngine(), warn: () => {}, checkInterrupted: () => {} };
  let data: TaskData;

  it('is read with the measured answers, and the result says by what', async () => {
    const {
      shippedCheck,
      further = [],
      student: measured,
      studentInt8,
    } = await train(recipe, place.options(kind));
    expect(shippedCheck).toEqual({
      reader: expect.stringMatching(/^@huggingface\/transformers \d/),
      samples: expect.any(Number),
      files: ['onnx/model.onnx', 'onnx/model_quantized.onnx', 'onnx/model_q4.onnx', 'onnx/model_fp16.onnx'],
    });
    expect(shippedCheck!.samples).toBeGreaterThanOrEqual(32);
    if (kind === 'texts') {
      expect(studentInt8!.bytes).toBeLessThanOrEqual(160_000);
      const precisions = studentInt8!.layers!.map(({ precision }) => precision);
      expect(new Set(precisions)).toEqual(new Set(['int8', 'q4']));
    }
    const [q4, fp16] = further;
    expect(fp16).toMatchObject({ precision: 'fp16', gate: { passed: true } });
    expect(fp16!.result.bytes).toBeLessThan(measured.bytes);
    expect(q4).toMatchObject({
      precision: 'q4',
      gate: { passed: true },
      result: { file: 'student/onnx/model_q4.onnx' },
    });
    expect(q4!.result.parameters).toBe(measured.parameters);
    expect(q4!.result.bytes).toBeLessThan(measured.bytes);
    const task = await openTask({ recipe, options: place.options(kind) });
    data = await task.prepareData({});
  });
  afterAll(() => data?.dataset.close());

  const readers = [
    ['@huggingface/transformers', async () => (await transformersReader())!],
    ['our own reader', async () => ownReader(run.engine)],
  ] as const;
  const spoiled: [what: string, file: string, change: (json: never) => unknown, code: string][] = [
    [
      'other class names',
      'config.json',
      ({ id2label, ...rest }: { id2label: Record<string, string> }) => {
        const names = Object.values(id2label);
        return {
          ...rest,
          id2label: Object.fromEntries(names.map((_, i) => [i, names[(i + 1) % names.length]])),
        };
      },
      'export.other-answers',
    ],
    ...(kind !== 'images'
      ? ([
          [
            'no padding token',
            'tokenizer_config.json',
            ({ pad_token: _, ...rest }: { pad_token: string }) => rest,
            'export.unreadable',
          ],
          [
            'other pieces',
            'tokenizer.json',
            (json: { model: { vocab: [string, number][] } }) => ({
              ...json,
              model: {
                ...json.model,
                vocab: json.model.vocab.map(([piece], id) => [piece, id < 6 ? -1000 : -id]),
              },
            }),
            'export.other-answers',
          ],
        ] as const)
      : ([
          [
            'other means',
            'preprocessor_config.json',
            (json: object) => ({ ...json, image_mean: [3, 3, 3] }),
            'export.other-answers',
          ],
        ] as const)),
  ] as never;

  it.each(readers)('is read by %s', async (_who, reader) => {
    const { samples } = await checkShipped(run, data, student, {
      precisions: ['f32', 'int8', 'q4', 'fp16'],
      reader: await reader(),
    });
    expect(samples).toBeGreaterThanOrEqual(32);
  });

  it.each(
    readers.flatMap(([who, reader]) => spoiled.map((change) => [who, change[0], reader, change] as const)),
  )('%s finds %s', async (_who, _what, reader, [what, file, change, code]) => {
    const folder = place.path(`${kind} with ${what}`.replaceAll(' ', '-'));
    cpSync(student, folder, { recursive: true });
    const changed = change(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as never);
    writeFileSync(`${folder}/${file}`, JSON.stringify(changed));
    const checking = checkShipped(run, data, folder, {
      precisions: ['f32', 'int8', 'q4', 'fp16'],
      reader: await reader(),
    });
    await expect(checking).rejects.toMatchObject({
      code,
      where: expect.stringContaining('/onnx/model.onnx, read by'),
    });
  });
});

/** An 8-bit PNG file. */
function png(pixels: Uint8Array, side: number, channels: 1 | 3): Buffer {
  const chunk = (type: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
    const [head, tail] = [Buffer.alloc(4), Buffer.alloc(4)];
    head.writeUInt32BE(content.length);
    tail.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, channels === 1 ? 0 : 2], 8);
  const row = side * channels;
  const rows = Array.from({ length: side }, (_, y) =>
    Buffer.concat([Buffer.of(0), pixels.subarray(y * row, (y + 1) * row)]),
  );
  const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const parts = [
    ['IHDR', header],
    ['IDAT', deflateSync(Buffer.concat(rows))],
    ['IEND', Buffer.alloc(0)],
  ] as const;
  return Buffer.concat([signature, ...parts.map(([type, content]) => chunk(type, content))]);
}

let greyAnswers: unknown;
it('of grey images answers grey and colour files alike in transformers.js', async () => {
  const student = place.path('runs', 'images', 'student');
  const classify = await pipeline('image-classification', student, { dtype: 'q8', local_files_only: true });
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 && i < 32 ? 170 : 90));
  mkdirSync(place.path('files'));
  const grey = place.write('files/grey.png', png(bytes, 8, 1));
  const colour = place.write(
    'files/colour.png',
    png(
      Uint8Array.from({ length: 192 }, (_, i) => bytes[Math.floor(i / 3)]!),
      8,
      3,
    ),
  );
  const [one, other] = [await classify(grey), await classify(colour)];
  expect(one).toEqual(other);
  greyAnswers = one;
  expect((one as { score: number }[])[0]!.score).toBeGreaterThan(0.25);
  await classify.dispose();
});

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The code in a language that README shows under a heading. */
function codeOf(heading: string, language: string): string {
  const [, section] = README.split(`\n## ${heading}\n`);
  const [, code] =
    new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\n\`\`\``).exec(section!.split('\n## ')[0]!) ?? [];
  return code!;
}

describe("README's code", () => {
  const run = place.path('runs', 'texts');
  const labels = () =>
    Object.keys(JSON.parse(readFileSync(join(run, 'student', 'config.json'), 'utf8')).label2id as object);

  it(
    'runs in Node in the folder of the run',
    async () => {
      symlinkSync(join(ROOT, 'node_modules'), join(run, 'node_modules'));
      writeFileSync(join(run, 'use.mjs'), codeOf('Use the student', 'js'));
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['use.mjs'], { cwd: run });
      expect(stderr).toBe('');
      expect(labels()).toContain(/label: '([^']+)'/.exec(stdout)?.[1]);
    },
    patience(30),
  );

  const executablePath = findChromium();
  it.skipIf(!executablePath)(
    'runs in a page from a server of one’s own, without a complaint',
    async () => {
      // As the commands under it copy them.
      const page = codeOf('Use the student', 'html');
      const site = place.path('site');
      cpSync(join(run, 'student'), join(site, 'student'), { recursive: true });
      writeFileSync(join(site, 'index.html'), page);
      const copied = [...codeOf('Use the student', 'sh').matchAll(/^cp node_modules\/(\S+) \.$/gm)];
      expect(copied).toHaveLength(3);
      const packages = [
        join(ROOT, 'node_modules/@huggingface/transformers/node_modules'),
        join(ROOT, 'node_modules'),
      ];
      for (const [, file] of copied) {
        const found = packages.map((folder) => join(folder, file!)).find((path) => existsSync(path));
        cpSync(found!, join(site, basename(file!)));
      }
      const server = await serveFolder(site);
      const browser = await chromium.launch({ executablePath: executablePath!, args: CHROMIUM_ARGS });
      try {
        const tab = await browser.newPage();
        const complaints: string[] = [];
        // Not warnings: Chromium warns of a machine without a GPU.
        tab.on('console', (message) => {
          if (message.type() === 'error') complaints.push(message.text());
        });
        tab.on('pageerror', (error) => complaints.push(String(error)));
        tab.on('request', (request) => {
          if (!request.url().startsWith(server.origin) && !/^(blob|data):/.test(request.url()))
            complaints.push(`asked elsewhere: ${request.url()}`);
        });
        tab.on('response', (response) => {
          if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
        });
        await tab.goto(`${server.origin}/index.html`);
        const answer = tab.locator('#answer', { hasText: /\(\d\.\d\d\)$/ });
        await answer.waitFor({ timeout: patience(50) }).catch(() => complaints.push('no answer'));
        expect(complaints).toEqual([]);
        const [, label] = /^(.*) \(/.exec((await answer.textContent()) ?? '') ?? [];
        expect(labels()).toContain(label);
        // A student of grey images, in the same page: a grey file arrives there in four channels.
        cpSync(place.path('runs', 'images', 'student'), join(site, 'grey'), { recursive: true });
        cpSync(place.path('files', 'grey.png'), join(site, 'grey.png'));
        // As text: an import in a function is rewritten by what runs the tests.
        const seen = await tab.evaluate(`import('./transformers.min.js').then(async ({ pipeline }) =>
          (await pipeline('image-classification', 'grey', { dtype: 'q8' }))('./grey.png'))`);
        // transformers.js looks whether there is a tokenizer, of every model.
        expect(complaints.filter((text) => !/tokenizer_config\.json|status of 404/.test(text))).toEqual([]);
        const inNode = greyAnswers as { label: string; score: number }[];
        for (const [i, { label, score }] of (seen as typeof inNode).entries()) {
          expect(label).toBe(inNode[i]!.label);
          expect(score).toBeCloseTo(inNode[i]!.score, 2);
        }
      } finally {
        await browser.close();
        await server.close();
      }
    },
    90_000,
  );
});
