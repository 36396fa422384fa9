import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build as bundle, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Build, buildLimbeck } from './support/build.ts';
import { patience } from './support/patience.ts';

// The package as npm packs it, installed in an empty project, and used there as a stranger would.

const TSC = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const run = promisify(execFile);
/** Of what a page loads in order to distil, without onnxruntime-web. */
const MOST_PACKED_BYTES = 450_000;

let build: Build;
let project: string;
let unreachable = false;

const node = (...args: string[]) => run(process.execPath, args, { cwd: project });

beforeAll(async () => {
  build = buildLimbeck({ declarations: true });
  project = await mkdtemp(join(tmpdir(), 'limbeck-installed-'));
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', project];
  const packed = await run('npm', pack, { cwd: build.folder });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0' }));
  // The variable is what the README tells npm 10 users behind a registry-only network.
  const install = ['install', `./${filename}`, '--prefer-offline', '--no-audit', '--no-fund'];
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  await run('npm', install, { cwd: project, env }).catch((error: Error) => {
    if (!/ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONNREFUSED|ETIMEDOUT/.test(error.message)) throw error;
    unreachable = true;
  });
}, patience(300));

afterAll(async () => {
  build.remove();
  await rm(project, { recursive: true, force: true });
});

describe('the packed package in an empty project', () => {
  test('ECMAScript modules, CommonJS and its package.json', async (context) => {
    context.skip(unreachable, 'the npm registry cannot be reached');
    const script = `
      const { version } = require('limbeck/package.json');
      const schema = require('limbeck/recipe.schema.json');
      import('limbeck').then((esm) => {
        const cjs = require('limbeck');
        console.log(JSON.stringify({ version, keys: Object.keys(schema.properties), same: cjs.distill === esm.distill, type: typeof cjs.distill }));
      });`;
    const { stdout } = await node('-e', script);
    expect(JSON.parse(stdout)).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      keys: expect.arrayContaining(['data', 'student']),
      same: true,
      type: 'function',
    });
  });

  test('types, as ECMAScript and as CommonJS, without types of Node', async (context) => {
    context.skip(unreachable, 'the npm registry cannot be reached');
    await writeFile(
      join(project, 'esm.mts'),
      `import { distill, LimbeckError, parseRecipe, type RunResult } from 'limbeck';
      export const result: Promise<RunResult> = distill(parseRecipe('name: x'), { out: 'x' });
      // @ts-expect-error a recipe is not a number
      export const wrong = distill(1, { out: 'x' });
      export const code = (error: LimbeckError): string => error.code;`,
    );
    await writeFile(
      join(project, 'cjs.cts'),
      `import limbeck = require('limbeck');
      export const recipe: limbeck.Recipe = limbeck.parseRecipe('name: x');`,
    );
    await writeFile(
      join(project, 'subpaths.mts'),
      `import { distill, forget, type BrowserResult } from 'limbeck/browser';
      import { gradients } from 'limbeck/autodiff';
      import { GraphBuilder, type Graph, writeModel } from 'limbeck/onnx';
      import { adamw, compileModel, createWebEngine } from 'limbeck/train';
      const g = new GraphBuilder();
      const x = g.input('x', 'float32', [3]);
      const [slope] = gradients(g, g.reduceSum(g.mul(x, x), { keepDims: false }), [x]);
      if (slope) g.output(g.identity(slope), 'slope');
      export const graph: Graph = g.build();
      export const bytes: Uint8Array = writeModel(graph);
      export const engine = createWebEngine({ ort: () => import('onnxruntime-node') });
      export const optimizer = adamw({ weightDecay: 0.1 });
      export { compileModel, forget };
      export const run = (csv: File): Promise<BrowserResult> =>
        distill('name: x', { files: { 'texts.csv': csv }, ort: () => import('onnxruntime-node') });
      // @ts-expect-error a file is not a number
      export const wrong = distill('name: x', { files: { 'texts.csv': 1 }, ort: () => import('onnxruntime-node') });`,
    );
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--types', '', '--module', 'nodenext'];
    const checked = await node(TSC, ...options, 'esm.mts', 'cjs.cts', 'subpaths.mts').catch(
      (error: { stdout: string }) => error,
    );
    expect(checked.stdout).toBe('');
  });

  test('its subpaths load in Node, and work', async (context) => {
    context.skip(unreachable, 'the npm registry cannot be reached');
    await writeFile(
      join(project, 'subpaths.mjs'),
      `import { gradients } from 'limbeck/autodiff';
      import * as browser from 'limbeck/browser';
      import { GraphBuilder, readModel, writeModel } from 'limbeck/onnx';
      import { compileModel, sgd } from 'limbeck/train';
      const g = new GraphBuilder();
      const x = g.input('x', 'float32', [3]);
      const [slope] = gradients(g, g.reduceSum(g.mul(x, x), { keepDims: false }), [x]);
      g.output(g.identity(slope), 'slope');
      const { nodes } = readModel(writeModel(g.build()));
      console.log(JSON.stringify({ nodes: nodes.length > 1, compile: typeof compileModel, optimizer: typeof sgd({}), distill: typeof browser.distill }));`,
    );
    const { stdout } = await node('subpaths.mjs');
    expect(JSON.parse(stdout)).toEqual({
      nodes: true,
      compile: 'function',
      optimizer: 'object',
      distill: 'function',
    });
  });

  test('limbeck/browser bundles for a page, without Node', async (context) => {
    context.skip(unreachable, 'the npm registry cannot be reached');
    await writeFile(
      join(project, 'page.js'),
      `import { distill } from 'limbeck/browser'; globalThis.distill = distill;`,
    );
    await writeFile(join(project, 'index.html'), `<script type="module" src="/page.js"></script>`);
    const { output } = (await bundle({
      root: project,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, target: 'es2023' },
    })) as Rolldown.RolldownOutput;
    const chunks = output.flatMap((file) => ('code' in file ? [file] : []));
    const code = chunks.map((chunk) => chunk.code).join('');
    expect(code).not.toMatch(/\bfrom\s*["']node:|\brequire\(["']node:|__vite-browser-external/);
    const entry = chunks.find((chunk) => chunk.isEntry);
    const [bytes, packed] = [entry!.code.length, gzipSync(entry!.code).length];
    console.log(`limbeck/browser: ${bytes} bytes, ${packed} with gzip, ${chunks.length} chunks`);
    expect(packed).toBeLessThan(MOST_PACKED_BYTES);
  });

  test('the command works', async (context) => {
    context.skip(unreachable, 'the npm registry cannot be reached');
    const { stdout } = await run('npx', ['--no-install', 'limbeck', 'doctor', '--json'], { cwd: project });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
    expect(checks.find(({ name }) => name === 'engine cpu')?.status).toBe('ok');
  });
});
