import type { Browser, Page } from 'playwright-core';
import { identityModel } from '../engine/identity-model.ts';
import { LimbeckError } from '../errors.ts';
import { textOf, utf8Of } from '../platform/bytes.ts';
import { packageFile } from '../platform/node-modules.ts';
import { dirname, join } from '../platform/paths.ts';
import { readRegularFile } from '../regular-file.ts';
import { noRuntime, startChromium } from './chromium.ts';
import type { Assignment, InPlace, Ran, RuntimeName } from './measurement.ts';
import { FOUND, pageScript } from './page-script.ts';
import { type Served, servePage } from './page-server.ts';
import { receivedFeeds, type SentTensor, sentFeeds } from './page-tensors.ts';
import { requireAnswer, runtimeProblem } from './runtime-problem.ts';

type Web = Exclude<RuntimeName, 'node'>;

/** The module of each, and the files that it loads. */
const MODULES: Record<Web, readonly [module: string, ...rest: string[]]> = {
  wasm: ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'],
  webgpu: [
    'ort.webgpu.min.mjs',
    'ort-wasm-simd-threaded.asyncify.mjs',
    'ort-wasm-simd-threaded.asyncify.wasm',
  ],
};

/** No calls to the outside; without a graphics card WebGPU is computed by SwiftShader, which is told. */
const ARGS: Record<Web, readonly string[]> = {
  wasm: ['--disable-gpu'],
  webgpu: ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--enable-unsafe-swiftshader'],
};
const QUIET_ARGS = ['--disable-background-networking', '--disable-component-update', '--no-first-run'];

/** What a page says of its WebGPU adapter. */
interface Adapter {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly description?: string;
  readonly isFallback?: boolean;
}

interface Found {
  readonly problem?: string;
  readonly result?: Omit<InPlace, 'answers'> & {
    readonly answers: readonly Readonly<Record<string, SentTensor>>[];
    readonly version: string;
    readonly isolated: boolean;
    readonly profile?: readonly string[];
    readonly adapter?: Adapter;
  };
}

/**
 * Runs an assignment with onnxruntime-web in a page of a headless Chromium.
 *
 * @throws LimbeckError `measure.no-runtime` where the browser, onnxruntime-web or an adapter is missing, `measure.model` where the
 *   runtime does not take the model, `measure.too-long` after `mostSeconds`
 */
export async function runInBrowser(
  runtime: Web,
  assignment: Assignment,
  { mostSeconds, signal }: { readonly mostSeconds: number; readonly signal?: AbortSignal | undefined },
): Promise<Ran> {
  const server = await servePage(filesOf(runtime, assignment));
  let browser: Browser | undefined;
  try {
    browser = await startChromium([...QUIET_ARGS, ...ARGS[runtime]]);
    const version = browser.version();
    const page = await browser.newPage();
    const work = runPage(page, server.origin);
    const found = await requireAnswer(runtime, work, mostSeconds, signal);
    if (found.problem !== undefined || !found.result) throw problemOf(runtime, found.problem ?? 'no answer');
    const { answers, version: ort, isolated, adapter, profile, ...times } = found.result;
    const peakBytes = await rendererPeak(browser);
    const device =
      adapter && [adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ');
    const isSoftware = adapter !== undefined && isSoftwareAdapter(adapter);
    return {
      ...times,
      answers: answers.map(receivedFeeds),
      title: `onnxruntime-web ${ort}, ${runtime}${device ? ` on ${device}` : ''}, Chromium ${version}`,
      ...(profile && { profile }),
      ...(isSoftware && { isSoftware }),
      warnings: warningsOf(assignment.threads, isolated, isSoftware),
      ...(peakBytes !== undefined && { peakBytes }),
    };
  } finally {
    await browser?.close();
    await server.close();
  }
}

async function runPage(page: Page, origin: string): Promise<Found> {
  const ended = new Promise<never>((_, reject) => {
    page.once('crash', () => {
      reject(
        new LimbeckError('measure.model', 'the page ended before it answered', {
          where: 'in the browser',
          remedy: 'Most often memory ran out: a page has 4 GB at most.',
        }),
      );
    });
  });
  ended.catch(() => {});
  await page.goto(`${origin}/`);
  // Its own limit is the caller's.
  await Promise.race([page.waitForFunction(`globalThis.${FOUND}`, undefined, { timeout: 0 }), ended]);
  return (await page.evaluate(`globalThis.${FOUND}`)) as Found;
}

function filesOf(runtime: Web, assignment: Assignment): Map<string, Served> {
  let dist: string;
  try {
    dist = dirname(packageFile('onnxruntime-web', import.meta.url));
  } catch (cause) {
    throw noRuntime(
      'the package onnxruntime-web is not installed',
      'Install it: npm install onnxruntime-web.',
      cause,
    );
  }
  const { model, one, many, answered, ...rest } = assignment;
  const sent = {
    ...rest,
    one: one.map(sentFeeds),
    many: many.map(sentFeeds),
    answered: answered.map(sentFeeds),
  };
  const page =
    '<!doctype html><meta charset="utf-8"><title>Measuring</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
  const text = (type: string, content: string): Served => ({ type, read: () => utf8Of(content) });
  const binary = (content: Uint8Array): Served => ({ type: 'application/octet-stream', read: () => content });
  return new Map([
    ['/', text('text/html; charset=utf-8', page)],
    ['/page.js', text('text/javascript', pageScript(MODULES[runtime][0], runtime))],
    ['/assignment.json', text('application/json', JSON.stringify(sent))],
    ['/model.onnx', binary(model)],
    ['/identity.onnx', binary(identityModel())],
    ...MODULES[runtime].map((name): [string, Served] => [
      `/ort/${name}`,
      {
        type: name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript',
        read: () => readRegularFile(join(dist, name)),
      },
    ]),
  ]);
}

function problemOf(runtime: Web, message: string): LimbeckError {
  if (runtime === 'webgpu' && /no available backend|adapter|WebGPU is not supported/i.test(message)) {
    return noRuntime(
      'the browser gives no WebGPU adapter',
      'It needs a graphics driver with Vulkan, Metal or Direct3D 12, or a Chromium that brings SwiftShader.',
    );
  }
  return runtimeProblem(runtime, message);
}

/** Whether WebGPU is computed by the processor: the adapter says so, or is known by its name. */
export function isSoftwareAdapter({ isFallback, ...named }: Adapter): boolean {
  const names = [named.vendor, named.architecture, named.description].filter(Boolean).join(' ');
  return isFallback === true || /swiftshader|llvmpipe|lavapipe|\bcpu\b/i.test(names);
}

function warningsOf(threads: number, isolated: boolean, isSoftware: boolean): string[] {
  return [
    ...(threads > 1 && !isolated ? ['the page is not cross-origin isolated: it has one thread'] : []),
    ...(isSoftware
      ? [
          'the adapter computes on the processor: answers are those of WebGPU, times are not those of a graphics card',
        ]
      : []),
  ];
}

/** The most memory that the process of the page held, where Linux tells it. */
async function rendererPeak(browser: Browser): Promise<number | undefined> {
  try {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const peaks = processInfo
      .filter(({ type }) => type === 'renderer')
      .map(
        ({ id }) =>
          Number(/VmHWM:\s+(\d+) kB/.exec(textOf(readRegularFile(`/proc/${id}/status`)))?.[1]) * 1024,
      );
    const most = Math.max(...peaks);
    return Number.isFinite(most) ? most : undefined;
  } catch {
    return undefined;
  }
}
