import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRecipe } from '../src/recipe/parse.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const FAKE = fileURLToPath(new URL('../src/cli/testing/fake-main.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../bin/limbeck.js', import.meta.url));
const TSX = import.meta.resolve('tsx');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-process-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Finished {
  code: number | null;
  out: string;
  err: string;
}

function launch(script: string, args: string[]) {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [...(script.endsWith('.ts') ? ['--import', TSX] : []), script, ...args],
    {
      cwd: folder,
      env: { ...env, NO_COLOR: '1' },
    },
  );
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const finished = once(child, 'close').then(([code]): Finished => ({ code, out, err }));
  return { child, finished, err: () => err };
}

const limbeck = (...args: string[]) => launch(MAIN, args).finished;

async function recipeFile(name: string, more = ''): Promise<string> {
  const text = `name: ${name}
data:
  source: { kind: wordnet-glosses }
teacher: { kind: use-lite }
student: { kind: text-conv }
${more}`;
  await writeFile(join(folder, `${name}.yaml`), text);
  return `${name}.yaml`;
}

async function untilPrinted(running: ReturnType<typeof launch>, pattern: RegExp): Promise<void> {
  while (!pattern.test(running.err())) {
    if (running.child.exitCode !== null) throw new Error(`it ended: ${running.err()}`);
    await Promise.race([
      once(running.child.stderr as NonNullable<ChildProcess['stderr']>, 'data'),
      running.finished,
    ]);
  }
}

test('--help names every command and the exit codes', async () => {
  const { code, out } = await limbeck('--help');
  expect(code).toBe(0);
  const commands = [
    'distill',
    'plan',
    'train',
    'label',
    'eval',
    'export',
    'report',
    'store',
    'init',
    'doctor',
    'schema',
  ];
  for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(out).toMatch(/130 +interrupted/);
});

test('a recipe with an unknown key is told with line and nearest key', async () => {
  const file = await recipeFile('wrong', 'training:\n  epoch: 3\n');
  const { code, out, err } = await limbeck('plan', file);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toBe(
    "error: training.epoch: unknown key [recipe.unknown-key]\n  at: wrong.yaml:7:3\n  do: Did you mean 'epochs'?\n",
  );
});

test('doctor starts the cpu engine for real', async () => {
  const { code, out } = await limbeck('doctor', '--json');
  const { type, healthy, checks } = JSON.parse(out);
  expect({ code, type }).toEqual({ code: healthy ? 0 : 1, type: 'result' });
  expect(checks).toContainEqual(
    expect.objectContaining({
      name: 'engine cpu',
      status: 'ok',
      found: expect.stringMatching(/^onnxruntime-node \d/),
    }),
  );
  expect(checks).toContainEqual(expect.objectContaining({ name: 'Node.js', status: 'ok' }));
});

test('init without a terminal writes a recipe that is valid and that editors know', async () => {
  const { code, out } = await limbeck('init', 'new/mine.yaml', '--set', 'data.labelsPerClass=50');
  expect(code).toBe(0);
  expect(out).toMatch(/limbeck distill new\/mine.yaml/);
  const text = await readFile(join(folder, 'new/mine.yaml'), 'utf8');
  expect(parseRecipe(text)).toMatchObject({ name: 'mine', data: { labelsPerClass: 50 } });
  const schema = /^# yaml-language-server: \$schema=(.*)\n/.exec(text)?.[1] ?? '';
  const found = JSON.parse(await readFile(join(folder, 'new', schema), 'utf8'));
  expect(found.properties).toHaveProperty('student');
});

describe('a run', () => {
  test('--json is one object a line, the result last', async () => {
    const { code, out, err } = await launch(FAKE, ['distill', await recipeFile('quick'), '--json']).finished;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual([
      'stage-start',
      ...Array(3).fill('progress'),
      'stage-end',
      'result',
    ]);
  });

  test('SIGINT once: it stops cleanly and ends with 130', async () => {
    const running = launch(FAKE, ['distill', await recipeFile('slow')]);
    await untilPrinted(running, /train: training/);
    running.child.kill('SIGINT');
    const { code, err } = await running.finished;
    expect(code).toBe(130);
    expect(err).toMatch(/press Ctrl\+C again to stop at once/);
    expect(err).toMatch(/stopped: what was computed is kept/);
  });

  test('SIGINT twice: it ends at once', async () => {
    const running = launch(FAKE, ['distill', await recipeFile('deaf')]);
    await untilPrinted(running, /train: training/);
    running.child.kill('SIGINT');
    await untilPrinted(running, /again to stop at once/);
    running.child.kill('SIGINT');
    const { code, err } = await running.finished;
    expect(code).toBe(130);
    expect(err).not.toMatch(/stopped:/);
  });

  test('stops cleanly when the reader of its output goes away', async () => {
    const running = launch(FAKE, ['distill', await recipeFile('slow'), '--json']);
    await once(running.child.stdout, 'data');
    running.child.stdout.destroy();
    expect(await running.finished).toMatchObject({ code: 130, err: '' });
  });
});

describe('bin/limbeck.js', () => {
  const clone = () => join(folder, 'clone');
  const start = (...args: string[]) => launch(join(clone(), 'bin/limbeck.js'), args).finished;

  beforeAll(async () => {
    await cp(join(BIN, '..'), join(clone(), 'bin'), { recursive: true });
    await writeFile(join(clone(), 'package.json'), '{ "type": "module" }');
  });

  test('says what is missing in a package that was not built', async () => {
    expect(await start()).toMatchObject({ code: 1, err: expect.stringMatching(/dist\/ is missing/) });
  });

  test('says how to install a clone without packages', async () => {
    await mkdir(join(clone(), 'src'), { recursive: true });
    await writeFile(join(clone(), 'src/index.ts'), '');
    expect(await start()).toMatchObject({ code: 1, err: expect.stringMatching(/not built yet.*npm ci/) });
  });

  test('builds a clone when it was not built, and when a source is newer than the build', async () => {
    const compiler = join(clone(), 'node_modules/typescript/bin');
    await mkdir(compiler, { recursive: true });
    const stub = `import { mkdirSync, writeFileSync } from 'node:fs';
      const dist = process.argv.at(-1);
      mkdirSync(dist + '/cli', { recursive: true });
      writeFileSync(dist + '/cli/main.js', 'console.log(process.argv.slice(2).join());');`;
    await writeFile(join(compiler, 'tsc'), stub);
    await writeFile(join(compiler, 'package.json'), '{ "type": "module" }');
    const built = { code: 0, out: 'a,b\n', err: expect.stringMatching(/^Building/) };
    expect(await start('a', 'b')).toEqual(built);
    expect(await start('a', 'b')).toEqual({ ...built, err: '' });
    const later = new Date(Date.now() + 10_000);
    await utimes(join(clone(), 'src/index.ts'), later, later);
    expect(await start('a', 'b')).toEqual(built);
    expect((await readdir(clone())).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  test('says what the compiler said when a clone cannot be built', async () => {
    await rm(join(clone(), 'dist'), { recursive: true });
    const compiler = join(clone(), 'node_modules/typescript/bin/tsc');
    await writeFile(compiler, `console.log('src/index.ts(1,1): error'); process.exitCode = 2;`);
    expect(await start()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/could not be built:\nsrc\/index/),
    });
  });
});
