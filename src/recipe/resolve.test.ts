import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolvePath } from './resolve.ts';

let root: string;
const policy = () => ({ recipeFolder: join(root, 'work/recipes'), workingFolder: join(root, 'work') });

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'limbeck-paths-')));
  await mkdir(join(root, 'work/recipes'), { recursive: true });
  await mkdir(join(root, 'work-other'));
  await writeFile(join(root, 'secret.txt'), 'x');
  await symlink(join(root, 'secret.txt'), join(root, 'work/recipes/link.txt'));
  await symlink('../../not-there-yet.txt', join(root, 'work/recipes/dangling.txt'));
  await symlink(root, join(root, 'work/recipes/up'));
  await symlink('loop', join(root, 'work/recipes/loop'));
});
afterAll(() => rm(root, { recursive: true }));

test('paths are relative to the recipe, and may go up to the working folder', async () => {
  expect(resolvePath('data/train.csv', policy())).toBe(join(root, 'work/recipes/data/train.csv'));
  expect(resolvePath('../train.csv', policy())).toBe(join(root, 'work/train.csv'));
});

test.each([
  ['../../secret.txt'],
  ['/etc/passwd'],
  ['link.txt'],
  ['up/secret.txt'],
  ['up/new-folder/new.txt'],
  ['dangling.txt'],
  ['../../work-other/x.txt'],
])('%s leads outside', async (path) => {
  expect(() => resolvePath(path, policy(), 'data.source.path')).toThrow(
    expect.objectContaining({
      code: 'recipe.path-outside',
      where: expect.stringContaining('data.source.path'),
      remedy: expect.stringContaining('--allow-path'),
    }),
  );
});

test('what the person allows is allowed', async () => {
  const allowed = { ...policy(), allowPaths: [join(root, 'work-other')] };
  expect(resolvePath('../../work-other/x.txt', allowed)).toBe(join(root, 'work-other/x.txt'));
  expect(() => resolvePath('../../secret.txt', allowed)).toThrow(
    expect.objectContaining({
      code: 'recipe.path-outside',
    }),
  );
});

test.each([[''], ['a\0b'], ['loop/x']])('%j is no path', async (path) => {
  expect(() => resolvePath(path, policy())).toThrow(expect.objectContaining({ code: 'recipe.invalid' }));
});
