import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KnowledgeStore } from '../../knowledge/store.ts';
import { runCli } from '../testing/run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-store-cli-'));
  const store = await KnowledgeStore.open(join(folder, 'store'));
  const definition = {
    teacher: 'abcdef0123456789',
    tap: 'logits',
    preprocessing: 'p',
    encoding: 'float32',
  } as const;
  await store.space({ ...definition, title: 'USE lite', dims: [4] });
  await store.close();
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: string[]) => runCli(args, folder, { KnowledgeStore });

test('ls lists what is kept, for people and for programs', async () => {
  const { code, out } = await run('store', 'ls', '--store', 'store');
  expect(code).toBe(0);
  expect(out).toMatch(/USE lite +logits +abcdef012345 +0 +float32/);
  const json = JSON.parse((await run('store', 'ls', '--store', 'store', '--json')).out);
  expect(json).toMatchObject({ type: 'result', spaces: [{ title: 'USE lite', samples: 0 }] });
});

test('looking makes no store', async () => {
  const { code, err } = await run('store', 'ls');
  expect(code).toBe(2);
  expect(err).toMatch(/cli.no-store/);
  expect(await readdir(folder)).toEqual(['store']);
});

test('a folder of something else is no store', async () => {
  await mkdir(join(folder, 'other/store'), { recursive: true });
  await mkdir(join(folder, 'elsewhere/src'), { recursive: true });
  for (const command of ['ls', 'verify']) {
    expect(await run('store', command, '--store', 'elsewhere')).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /there is no knowledge store in this folder \[cli.no-store\]\n {2}at: elsewhere/,
      ),
    });
  }
  const { err } = await run('store', 'prune', '--all', '--store', 'other');
  expect(err).toContain('Did you mean --store other/store?');
  await mkdir(join(folder, 'empty'));
  expect((await run('store', 'ls', '--store', 'empty')).out).toBe('The store is empty.\n');
});

test('verify finds what is damaged and ends with 1; --repair drops it', async () => {
  expect(await run('store', 'verify', '--store', 'store')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/sound/),
  });
  const [space = ''] = await readdir(join(folder, 'store'));
  const file = join(folder, 'store', space, 'space.json');
  await writeFile(file, '{');
  const found = await run('store', 'verify', '--store', 'store', '--json');
  expect(found.code).toBe(1);
  expect(JSON.parse(found.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    type: 'result',
    sound: false,
  });
  const repaired = await run('store', 'verify', '--store', 'store', '--repair');
  expect(repaired).toMatchObject({ code: 0, out: expect.stringMatching(/dropped/) });
  expect((await run('store', 'ls', '--store', 'store')).out).toBe('The store is empty.\n');
});

test('prune wants to be told what', async () => {
  expect(await run('store', 'prune', '--store', 'store')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--all/),
  });
  expect(await run('store', 'prune', '--store', 'store', '--unused-for', 'x')).toMatchObject({ code: 2 });
  const store = await KnowledgeStore.open(join(folder, 'store'));
  const definition = { tap: 'logits', preprocessing: 'p', encoding: 'float32', dims: [4] } as const;
  await store.space({ ...definition, title: 'one', teacher: '1111' });
  await store.space({ ...definition, title: 'two', teacher: '2222' });
  await store.close();
  expect((await run('store', 'prune', '--store', 'store', '--unused-for', '1')).out).toBe(
    'Nothing to drop.\n',
  );
  const { dropped } = JSON.parse(
    (await run('store', 'prune', '--store', 'store', '--teacher', 'one', '--json')).out,
  );
  expect(dropped).toMatchObject([{ title: 'one' }]);
  expect((await run('store', 'prune', '--store', 'store', '--all')).out).toMatch(/two .*\n\nDropped/);
});
