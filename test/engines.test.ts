import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../src/engine/node.ts';
import { CHROMIUM_ARGS, findChromium, findSwiftShader } from './support/chromium.ts';
import { patience } from './support/patience.ts';
import { lossesOn, STEPS, TRAININGS } from './support/trainings.ts';

function expectAlike(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(STEPS);
  found.forEach((loss, i) => {
    expect(Math.abs(loss - expected[i]!), `step ${i + 1}`).toBeLessThan(1e-3);
  });
}

const onCpu = new Map<string, number[]>();
beforeAll(async () => {
  for (const [name, training] of Object.entries(TRAININGS))
    onCpu.set(name, await lossesOn(createNodeEngine({ threads: 1 }), training));
});

const browserPath = findChromium();
if (!browserPath)
  console.warn('no chromium on the PATH: training steps are not run in a browser, nor on WebGPU');

it.each(Object.keys(TRAININGS))('%s learns on the CPU', (name) => {
  const losses = onCpu.get(name)!;
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
});

const swiftShader = findSwiftShader(browserPath);
describe.skipIf(!swiftShader)('WebGPU of onnxruntime-node, on SwiftShader', () => {
  it('has the losses of the CPU', { timeout: patience(120) }, async () => {
    // The Vulkan loader looks at its variables when a process starts.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'support', 'webgpu-process.ts')],
      {
        env: {
          ...process.env,
          LD_LIBRARY_PATH: dirname(swiftShader!),
          VK_ICD_FILENAMES: swiftShader!,
          VK_DRIVER_FILES: swiftShader!,
        },
      },
    );
    const found = JSON.parse(stdout) as Record<string, number[]>;
    expect(Object.keys(found)).toEqual(Object.keys(TRAININGS));
    for (const [name, losses] of Object.entries(found)) expectAlike(losses, onCpu.get(name)!);
  });
});

/** The module of onnxruntime-web with WebAssembly alone, and the files that it asks for. */
const MODULE = fileURLToPath(import.meta.resolve('onnxruntime-web/wasm'));

describe.skipIf(!browserPath)('WebAssembly in Chromium', () => {
  let server: Server;

  beforeAll(async () => {
    const types: Record<string, string> = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
    server = createServer((request, response) => {
      const file = join(dirname(MODULE), basename(request.url ?? ''));
      const type = types[extname(file)];
      if (request.url === '/') return response.setHeader('content-type', 'text/html').end('<!doctype html>');
      if (!type || !existsSync(file)) return response.writeHead(404).end();
      response.setHeader('content-type', type);
      return createReadStream(file).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it.each(Object.entries(TRAININGS))(
    '%s has the losses of the CPU',
    { timeout: patience(120) },
    async (name, training) => {
      const browser = await chromium.launch({ executablePath: browserPath!, args: CHROMIUM_ARGS });
      try {
        const page = await browser.newPage();
        const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        await page.goto(address);
        const losses = await page.evaluate(trainInPage, {
          module: `${address}/${basename(MODULE)}`,
          model: Buffer.from(training.model).toString('base64'),
          feeds: Object.entries(training.feeds).map(([key, { type, dims, data }]) => ({
            key,
            type,
            dims: [...dims],
            data: Array.from(data as ArrayLike<number | bigint>, String),
          })),
          carried: [...training.carried],
          steps: STEPS,
        });
        expectAlike(losses, onCpu.get(name)!);
      } finally {
        await browser.close();
      }
    },
  );
});

/** Runs inside the page: nothing of this file is there but its argument. */
async function trainInPage(given: {
  module: string;
  model: string;
  feeds: { key: string; type: string; dims: number[]; data: string[] }[];
  carried: string[];
  steps: number;
}): Promise<number[]> {
  // A dynamic import written as one would be rewritten for the test runner.
  const load = new Function('url', 'return import(url)') as (
    url: string,
  ) => Promise<typeof import('onnxruntime-web')>;
  const ort = await load(given.module);
  ort.env.wasm.numThreads = 1;
  const bytes = Uint8Array.from(atob(given.model), (letter) => letter.charCodeAt(0));
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const made = given.feeds.map(({ key, type, dims, data }) => {
    if (type === 'int64') return [key, new ort.Tensor('int64', BigInt64Array.from(data, BigInt), dims)];
    if (type === 'int32') return [key, new ort.Tensor('int32', Int32Array.from(data, Number), dims)];
    return [key, new ort.Tensor('float32', Float32Array.from(data, Number), dims)];
  });
  let state = Object.fromEntries(made);
  const losses: number[] = [];
  for (let step = 1; step <= given.steps; step++) {
    const scalar = (value: number) => new ort.Tensor('float32', Float32Array.of(value), []);
    const out = await session.run({ ...state, learning_rate: scalar(0.01), step: scalar(step) });
    losses.push(Number(out.loss.data[0]));
    state = { ...state, ...Object.fromEntries(given.carried.map((name) => [name, out[`${name}/next`]])) };
  }
  return losses;
}
