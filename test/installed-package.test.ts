import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Build, buildLimbeck } from './support/build.ts';
import { patience } from './support/patience.ts';

// The package as npm packs it, installed in an empty project, and used there as a stranger would.

const TSC = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const run = promisify(execFile);

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
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--types', '', '--module', 'nodenext'];
    const checked = await node(TSC, ...options, 'esm.mts', 'cjs.cts').catch(
      (error: { stdout: string }) => error,
    );
    expect(checked.stdout).toBe('');
  });

  test('the command works', async (context) => {
    context.skip(unreachable, 'the npm registry cannot be reached');
    const { stdout } = await run('npx', ['--no-install', 'limbeck', 'doctor', '--json'], { cwd: project });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
    expect(checks.find(({ name }) => name === 'engine cpu')?.status).toBe('ok');
  });
});
