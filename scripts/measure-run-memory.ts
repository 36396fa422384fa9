/**
 * Measures what memory whole runs take, stage by stage: made texts that a student is trained on, made images that a teacher
 * labels (models/fashion-resnet) and a small ResNet learns from.
 *
 *     npx tsx scripts/measure-run-memory.ts texts 100000 1000000
 *     npx tsx scripts/measure-run-memory.ts images 20000 200000          # Linux
 *
 * Each number of samples has a process of its own. What it holds (RssAnon) is told apart from what it maps (`HeldMemory`).
 */

import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { FASHION_CLASSES } from '../src/data/sources/idx.ts';
import { distill, parseRecipe, type RunOptions, train } from '../src/index.ts';
import { randomStream } from '../src/random.ts';
import { HeldMemory } from './held-memory.ts';
import { endWith, scriptArguments } from './script-arguments.ts';

const TEACHER = fileURLToPath(new URL('../models/fashion-resnet', import.meta.url));
/** Held out of either kind, whatever the number. */
const TEST = 1000;
const SIDE = 28;

interface Kind {
  write(folder: string, count: number): Promise<void>;
  readonly recipe: Record<string, unknown>;
  readonly run: typeof train | typeof distill;
}

const KINDS: Readonly<Record<string, Kind>> = {
  texts: {
    write: (folder, count) =>
      pipeline(Readable.from(textRows(count)), createWriteStream(join(folder, 'texts.jsonl'))),
    recipe: {
      name: 'memory',
      data: {
        source: { kind: 'jsonl', path: 'texts.jsonl' },
        splits: { validation: TEST, test: TEST },
        maxLength: 32,
        buckets: [16, 32],
      },
      student: { kind: 'text-ngrams', buckets: 4096 },
      training: { epochs: 1, batchSize: 512, evaluateEvery: 1000, earlyStopping: false },
      baseline: false,
    },
    run: train,
  },
  images: {
    write: writeImages,
    recipe: {
      name: 'memory',
      task: 'image-classification',
      data: {
        source: { kind: 'idx', path: '.', classes: FASHION_CLASSES },
        splits: { validation: TEST, stratified: false },
      },
      teacher: { kind: 'onnx-image', model: TEACHER },
      student: { kind: 'resnet', width: 8, blocks: 1 },
      training: { epochs: 1, evaluateEvery: 1000, earlyStopping: false },
      baseline: false,
    },
    run: distill,
  },
};

const { values, positionals } = scriptArguments(import.meta.url, {
  allowPositionals: true,
  options: { here: { type: 'string' } },
});
const [name = '', ...counts] = positionals;
const kind = KINDS[name];
if (!kind) endWith(import.meta.url, `name what is measured: ${Object.keys(KINDS).join(' or ')}`);
if (values.here !== undefined) await measure(kind, Number(values.here));
else {
  if (counts.length === 0) endWith(import.meta.url, 'name numbers of samples');
  const script = fileURLToPath(import.meta.url);
  for (const count of counts)
    execFileSync(process.execPath, ['--import', 'tsx', script, name, '--here', count], { stdio: 'inherit' });
}

async function measure({ write, recipe, run }: Kind, count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-memory-'));
  const held = new HeldMemory();
  const timer = setInterval(() => held.look(), 20);
  try {
    await write(folder, count);
    held.tell(`${count} ${name}, written`);
    const options: RunOptions = {
      out: join(folder, 'run'),
      storeFolder: join(folder, 'store'),
      recipeFolder: folder,
      allowPaths: [folder, TEACHER],
      timingSeconds: 0,
      onEvent(event) {
        if (event.type === 'progress') held.look();
        if (event.type === 'stage-end')
          held.tell(`${count} ${name}, ${event.stage} (${event.seconds.toFixed(0)} s)`);
      },
    };
    await run(parseRecipe(JSON.stringify(recipe)), options);
  } finally {
    clearInterval(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Texts of 6 to 24 made words. */
function* textRows(count: number): Generator<string> {
  const random = randomStream(1, 'memory');
  const words = () =>
    Array.from({ length: 6 + random.integer(19) }, () => `w${random.integer(20_000).toString(36)}`);
  for (let id = 0; id < count; id++)
    yield `${JSON.stringify({ text: words().join(' '), label: `class ${id % 26}` })}\n`;
}

/** Grey images of noise, brighter for later classes, as the four files that Fashion-MNIST has. */
async function writeImages(folder: string, count: number): Promise<void> {
  for (const [prefix, images] of [
    ['train', count],
    ['t10k', TEST],
  ] as const) {
    const random = randomStream(1, prefix);
    const pixels = function* () {
      yield header(0x803, [images, SIDE, SIDE]);
      for (let i = 0; i < images; i++) {
        const image = Buffer.alloc(SIDE * SIDE);
        for (let at = 0; at < image.length; at += 1) image[at] = random.integer(100) + 15 * (i % 10);
        yield image;
      }
    };
    const labels = Buffer.from(Array.from({ length: images }, (_, i) => i % 10));
    await pipeline(Readable.from(pixels()), createWriteStream(join(folder, `${prefix}-images-idx3-ubyte`)));
    await pipeline(
      Readable.from([header(0x801, [images]), labels]),
      createWriteStream(join(folder, `${prefix}-labels-idx1-ubyte`)),
    );
  }
}

/** The magic number and the sizes of an IDX file (LeCun, "The MNIST database"), most significant byte first. */
function header(magic: number, sizes: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * (sizes.length + 1));
  for (const [i, value] of [magic, ...sizes].entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}
