import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { BrowserResult, RunEvent } from '../src/browser.ts';
import { readModel } from '../src/onnx/read-model.ts';
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
const events = (globalThis.events = []);
globalThis.forget = forget;
globalThis.start = async (recipe, files, options) => {
  const result = await distill(recipe, {
    files,
    ort: () => import(/* @vite-ignore */ new URL('/ort.wasm.min.mjs', location.href).href),
    onEvent: (event) => {
      events.push(event);
      globalThis.onLimbeckEvent?.(event.type, event.stage ?? '');
    },
    timingSeconds: 0.05,
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
    splits: { validation: 80, test: 160 },
    maxLength: 16,
    buckets: [16],
  },
  teacher: {
    kind: 'onnx',
    model: 'teacher/model.onnx',
    tokenizer: 'teacher/tokenizer.json',
    train: 'head',
    precision: 'int8',
    head: { epochs: 10 },
  },
  student: { kind: 'text-conv', embedding: 16, width: 16 },
  objective: { kd: { weight: 0.7, temperature: 2 }, labels: { weight: 0.3 } },
  training: {
    epochs: 16,
    batchSize: 32,
    checkpointEvery: 0.2,
    optimizer: { kind: 'adamw', learningRate: 0.01 },
  },
  export: { int8: { maxDrop: 0.1 } },
});

type Kept = Omit<BrowserResult, 'student'> & { student: Record<string, number[]> };
declare global {
  var events: RunEvent[];
  var forget: () => Promise<void>;
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
    const glosses = await readGlosses(220);
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

  /** Waits until the student is in the middle of its training, and a checkpoint of it is kept. */
  async function inTraining(): Promise<void> {
    for (;;) {
      const checkpoints = Object.entries(await kept('checkpoints', 'train'));
      const steps = checkpoints.map(([name, size]) => (size > 0 ? Number.parseInt(name.slice(5), 10) : 0));
      if (steps.some((step) => step >= 20)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const models = ({ student }: Kept) => [student['onnx/model.onnx'], student['onnx/model_quantized.onnx']];

  it('distils a CSV, and goes on after the page was loaded again', { timeout: patience(240) }, async () => {
    await load();
    const whole = await distil({ storage: 'memory' });
    const { student, studentInt8, baseline, teacher, gate } = whole.result;
    console.log(
      `accuracy: teacher ${teacher.accuracy}, student ${student.accuracy}, int8 ${studentInt8?.accuracy}`,
    );
    // Four classes.
    expect(student.accuracy).toBeGreaterThan(0.5);
    expect(studentInt8?.accuracy).toBeGreaterThan(0.5);
    expect(baseline?.accuracy).toBeGreaterThan(0.4);
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

    const cut = distil({ baseline: false }).then(
      () => 'finished',
      () => 'cut off',
    );
    await inTraining();
    await expect(distil({ baseline: false })).rejects.toThrow('is distilling');
    await load();
    expect(await cut).toBe('cut off');
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
});
