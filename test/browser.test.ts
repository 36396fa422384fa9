import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { BrowserResult, RunEvent } from '../src/browser.ts';
import { tone } from '../src/data/modalities/audio/testing/wav-file.ts';
import type { ImageLibrary } from '../src/data/modalities/image/image-library.ts';
import { sharpLibrary } from '../src/data/modalities/image/sharp-library.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { withAnyLength } from '../src/export/audio-window.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { readModel } from '../src/onnx/read-model.ts';
import { float32, type Tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { audioConv } from '../src/students/audio-conv.ts';
import { buildStudent } from '../src/students/build-student.ts';
import { linearHead } from '../src/targets/linear-head.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';
import { readGlosses } from './support/glosses.ts';
import { featureModel, tokenizerJson } from './support/onnx-teacher.ts';
import { patience } from './support/patience.ts';
import { type StaticServer, serveFolder } from './support/static-server.ts';

const SRC = resolve(import.meta.dirname, '../src');
const ORT = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')));
const ORT_FILES = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

/** The page: what somebody writes who distils in one, and what it tells the test. */
const PAGE = `
import { distill, forget } from '${SRC}/browser.ts';
import { canvasLibrary } from '${SRC}/data/modalities/image/canvas-library.ts';
const events = (globalThis.events = []);
globalThis.forget = forget;
globalThis.imageLibrary = canvasLibrary;
globalThis.ort = () => import(/* @vite-ignore */ new URL('/ort.wasm.min.mjs', location.href).href);
globalThis.start = async (recipe, files, options) => {
  const result = await distill(recipe, {
    files,
    ort,
    onEvent: (event) => {
      events.push(event);
      const { reloadAt } = options;
      // As a user closes a tab: in the middle of whatever it does.
      if (reloadAt && event.type === 'progress' && event.stage === 'train' && event.done >= reloadAt)
        location.reload();
    },
    timingSeconds: 0.02,
    ...options,
  });
  const student = Object.fromEntries(
    Object.entries(result.student).map(([name, bytes]) => [name, Array.from(bytes)]),
  );
  return { ...result, student };
};
`;

const RECIPE = stringify({
  name: 'page',
  data: {
    source: { kind: 'csv', path: 'glosses.csv' },
    splits: { validation: 60, test: 100 },
    maxLength: 16,
    buckets: [16],
  },
  teacher: {
    kind: 'onnx',
    model: 'teacher/model.onnx',
    tokenizer: 'teacher/tokenizer.json',
    train: 'head',
    precision: 'int8',
    head: { epochs: 4 },
  },
  student: { kind: 'text-conv', embedding: 16, width: 16 },
  objective: { kd: { weight: 0.7, temperature: 2 }, labels: { weight: 0.3 } },
  training: {
    epochs: 16,
    batchSize: 32,
    checkpointEvery: 0.001,
    optimizer: { kind: 'adamw', learningRate: 0.01 },
  },
  export: { int8: { maxDrop: 0.1 } },
});

type Kept = Omit<BrowserResult, 'student'> & { student: Record<string, number[]> };
declare global {
  var events: RunEvent[];
  var forget: () => Promise<void>;
  var imageLibrary: () => ImageLibrary;
  var ort: () => Promise<typeof import('onnxruntime-web')>;
  var start: (recipe: string, files: object, options: object) => Promise<Kept>;
}

const executablePath = findChromium();
if (!executablePath) console.warn('no chromium on the PATH: nothing is distilled in a page');

describe.skipIf(!executablePath)('limbeck/browser in chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-browser-'));
  let server: StaticServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  let files: Record<string, string>;

  beforeAll(async () => {
    writeFileSync(join(folder, 'page.ts'), PAGE);
    await build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir: join(folder, 'site'),
        minify: false,
        lib: { entry: join(folder, 'page.ts'), formats: ['es'], fileName: () => 'page.js' },
      },
    });
    const site = join(folder, 'site');
    writeFileSync(
      join(site, 'index.html'),
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
    );
    for (const name of ORT_FILES) copyFileSync(join(ORT, name), join(site, name));
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const glosses = await readGlosses(140);
    writeFileSync(
      join(site, 'glosses.csv'),
      `text,label\n${glosses.map(({ text, label }) => `${quoted(text)},${label}\n`).join('')}`,
    );
    writeFileSync(join(site, 'tokenizer.json'), await tokenizerJson());
    writeFileSync(join(site, 'model.onnx'), featureModel());
    files = {
      'glosses.csv': 'glosses.csv',
      'teacher/model.onnx': 'model.onnx',
      'teacher/tokenizer.json': 'tokenizer.json',
    };
    server = await serveFolder(site);
    browser = await chromium.launch({ executablePath: executablePath!, args: CHROMIUM_ARGS });
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function load(): Promise<void> {
    await page.goto(`${server.origin}/index.html`);
    await page
      .waitForFunction(() => 'start' in globalThis, null, { timeout: 8000 })
      .catch(() => {
        throw new Error(complaints.join('\n'));
      });
  }

  /** Distils in the page with the files of the server. */
  function distil(options: object): Promise<Kept> {
    return page.evaluate(
      async ({ recipe, files, options }) => {
        const given = await Promise.all(
          Object.entries(files).map(async ([name, url]) => [name, await (await fetch(`/${url}`)).blob()]),
        );
        return globalThis.start(recipe, Object.fromEntries(given), options);
      },
      { recipe: RECIPE, files, options },
    );
  }

  /** What the page was told since it was loaded. */
  const events = () => page.evaluate(() => globalThis.events);

  /** Bytes of the files of the run's folder in the origin's private file system, by their names. */
  const kept = (...names: string[]) =>
    page.evaluate(async (names) => {
      try {
        let folder = await navigator.storage.getDirectory();
        for (const name of ['limbeck', 'runs', 'page', ...names])
          folder = await folder.getDirectoryHandle(name);
        const sizes: Record<string, number> = {};
        const entries = (
          folder as unknown as { entries(): AsyncIterable<[string, FileSystemHandle]> }
        ).entries();
        for await (const [name, handle] of entries)
          if (handle.kind === 'file') sizes[name] = (await (handle as FileSystemFileHandle).getFile()).size;
        return sizes;
      } catch {
        return {};
      }
    }, names);

  const models = ({ student }: Kept) => [student['onnx/model.onnx'], student['onnx/model_quantized.onnx']];

  it('distils a CSV, and goes on after the page was loaded again', { timeout: patience(240) }, async () => {
    await load();
    const [one, other] = await Promise.allSettled([
      distil({ storage: 'memory', baseline: false }),
      distil({}),
    ]);
    expect(other).toMatchObject({ reason: { message: expect.stringContaining('is distilling') } });
    if (one.status === 'rejected') throw one.reason;
    const whole = one.value;
    const { student, studentInt8, teacher, gate } = whole.result;
    console.log(
      `accuracy: teacher ${teacher?.accuracy}, student ${student.accuracy}, int8 ${studentInt8?.accuracy}`,
    );
    // Four classes.
    expect(student.accuracy).toBeGreaterThan(0.5);
    expect(studentInt8?.accuracy).toBeGreaterThan(0.5);
    expect(gate?.passed).toBe(true);
    expect(Object.keys(whole.student).sort()).toEqual([
      'README.md',
      'config.json',
      'onnx/model.onnx',
      'onnx/model_quantized.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(whole.report).toMatch(/^<!doctype html>/i);
    const [inFloat, inInt8] = models(whole).map((bytes) => {
      const { initializers } = readModel(Uint8Array.from(bytes as number[]));
      return [...initializers.values()].some(({ type }) => type === 'int8');
    });
    expect([inFloat, inInt8]).toEqual([false, true]);
    expect(await kept()).toEqual({});

    // Loaded again in the middle of the student's training.
    await expect(distil({ baseline: false, keepEvery: 0, reloadAt: 30 })).rejects.toThrow(
      /context|navigation|closed/,
    );
    await page.waitForFunction(() => 'start' in globalThis);
    expect(Object.keys(await kept('checkpoints', 'train'))).toContainEqual(expect.stringMatching(/^step-/));
    const resumed = await distil({ baseline: false });
    const told = await events();
    const endOf = (stage: string) =>
      told.flatMap((event) =>
        event.type === 'stage-end' && event.stage === stage ? [event.summary] : [],
      )[0];
    expect(endOf('data')).toContain('prepared earlier');
    expect(endOf('label')).toMatch(/^0 texts labelled/);
    const first = told.find((event) => event.type === 'progress' && event.stage === 'train');
    expect(first).toMatchObject({ done: expect.toSatisfy((done: number) => done > 20) });
    // As if it had never been cut off.
    expect(models(resumed)).toEqual(models(whole));

    const again = await distil({ baseline: false });
    expect(again.result).toEqual(resumed.result);
    expect((await events()).slice(told.length).map(({ type }) => type)).toEqual(['log']);
    await page.evaluate(() => globalThis.forget());
    expect(await kept()).toEqual({});
    expect(complaints).toEqual([]);
  });

  it('hears clips as Node does: what a student takes of the waveform is part of its graph', {
    timeout: patience(60),
  }, async () => {
    const student = buildStudent({
      backbone: audioConv,
      options: audioConv.options.parse({ width: 8, blocks: 2 }),
      inputs: { samplingRate: 8000, samples: 2048 },
      heads: [linearHead(3)],
      random: randomStream(1, 'student'),
    });
    const model = writeModel(withAnyLength(toEvaluationForm(student.graph), 2048));
    writeFileSync(join(folder, 'site', 'hears.onnx'), model);
    // As long as the student's window, shorter, and longer.
    const clips = [2048, 700, 5000].map((length, i) => Array.from(tone(300 + 700 * i, 8000, length / 8000)));
    await load();
    const inPage = await page.evaluate(async (clips) => {
      const runtime = await globalThis.ort();
      runtime.env.wasm.numThreads = 1;
      const session = await runtime.InferenceSession.create('/hears.onnx');
      const answers: number[][] = [];
      for (const clip of clips) {
        const input_values = new runtime.Tensor('float32', Float32Array.from(clip), [1, clip.length]);
        const { logits } = await session.run({ input_values });
        answers.push(Array.from((logits as { data: unknown }).data as Float32Array));
      }
      await session.release();
      return answers;
    }, clips);
    const session = await createNodeEngine({ threads: 1 }).load(model);
    for (const [i, clip] of clips.entries()) {
      const { logits } = await session.run({ input_values: float32(clip, [1, clip.length]) });
      const inNode = [...((logits as Tensor).data as Float32Array)];
      expect(inPage[i]).toEqual(inNode.map((value) => expect.closeTo(value, 4)));
    }
    await session.release();
    expect(new Set(inPage.map(String)).size).toBe(clips.length);
  });

  it('decodes images as Node does', { timeout: patience(60) }, async () => {
    await load();
    // Half of it is red, half of it nothing.
    const [width, height] = [6, 4];
    const pixels = Buffer.alloc(4 * width * height);
    for (let i = 0; i < width * height; i++) if (i % width < 3) pixels.set([200, 30, 10, 255], 4 * i);
    const png = await sharp(pixels, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    const options = { maxPixels: 1000, background: '#0000ff' };
    const inPage = await page.evaluate(
      async ({ png, options }) => {
        const library = globalThis.imageLibrary();
        const { pixels, facts } = await library.decode(Uint8Array.from(png), options);
        const half = await library.resize(pixels, { width: 3, height: 2 }, 'bilinear');
        const broken = await library.decode(Uint8Array.from(png.slice(0, 40)), options).catch(String);
        const large = await library.decode(Uint8Array.from(png), { ...options, maxPixels: 5 }).catch(String);
        return { pixels: Array.from(pixels.data), half: Array.from(half.data), facts, broken, large };
      },
      { png: [...png], options },
    );
    const inNode = await sharpLibrary().decode(png, options);
    expect(inPage.pixels).toEqual([...inNode.pixels.data]);
    expect(inPage.facts).toEqual(inNode.facts);
    expect(inPage.half).toHaveLength(3 * 3 * 2);
    expect(inPage.half.slice(0, 3)).toEqual([200, 30, 10]);
    expect(inPage.broken).toContain('the PNG image is damaged');
    expect(inPage.large).toContain('more than maxPixels');
  });
});
