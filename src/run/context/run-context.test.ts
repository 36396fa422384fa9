import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { dataCacheFolder, isStop } from './run-context.ts';

const recipeWith = (store: string) =>
  parseRecipe(
    JSON.stringify({
      name: 'a',
      data: { source: { kind: 'wordnet-glosses' } },
      student: { kind: 'text-conv' },
      store,
    }),
  );

test('prepared data lies beside the store, and not outside of the working folder', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'limbeck-cache-')));
  expect(dataCacheFolder(recipeWith('.limbeck/store'), {})).toBe(join(process.cwd(), '.limbeck', 'data'));
  expect(() => dataCacheFolder(recipeWith('.'), {})).toThrow(
    expect.objectContaining({ code: 'recipe.path-outside' }),
  );
  // The person may choose any folder.
  expect(dataCacheFolder(recipeWith('.'), { storeFolder: join(folder, 'store') })).toBe(join(folder, 'data'));
  rmSync(folder, { recursive: true });
});

test.each<[string, unknown]>([
  ['an abort', undefined],
  ['a timeout', new DOMException('too long', 'TimeoutError')],
  ['a reason of any type', 'enough'],
])('%s stops a run cleanly', (_, reason) => {
  const controller = new AbortController();
  controller.abort(reason);
  const { signal } = controller;
  const caught = (() => {
    try {
      signal.throwIfAborted();
    } catch (error) {
      return error;
    }
  })();
  expect(isStop(caught, signal)).toBe(true);
  expect(isStop(new LimbeckError('train.interrupted', 'stopped'), signal)).toBe(true);
  expect(isStop(new LimbeckError('store.disk-full', 'full'), signal)).toBe(false);
  expect(isStop(caught, undefined)).toBe(false);
});
