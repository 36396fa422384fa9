import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunFolder } from './run-folder.ts';

let path: string;
const origin = { recipeFolder: '/recipes', storeFolder: '/store' };
const open = () => new RunFolder(path, 'name: a\n', origin);

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'limbeck-run-folder-'));
});
afterEach(() => rmSync(path, { recursive: true }));

test('a student that learns from labels alone never goes on with the checkpoints of a distilled one', () => {
  const first = open();
  first.acceptTeaching('teacher');
  // Nothing was trained yet: the folder is free.
  first.acceptTeaching('labels');
  first.acceptTeaching('teacher');
  mkdirSync(join(path, 'checkpoints', 'train'), { recursive: true });
  first.close();

  const second = open();
  second.acceptTeaching('teacher');
  expect(() => second.acceptTeaching('labels')).toThrow(
    expect.objectContaining({ code: 'run.other-teaching', remedy: expect.stringContaining('--out') }),
  );
  second.close();
});

test('two runs of one process do not share a folder', () => {
  const first = open();
  expect(open).toThrow(expect.objectContaining({ code: 'run.locked' }));
  expect(existsSync(join(path, '.lock'))).toBe(true);
  first.close();
  open().close();
  expect(existsSync(join(path, '.lock'))).toBe(false);
});

test('a lock that is left from an earlier process of the same id holds nobody up', () => {
  writeFileSync(join(path, '.lock'), `${process.pid}\n`);
  open().close();
});

test('a warning survives a kill right after it', () => {
  const folder = open();
  folder.addWarning('a term is inert');
  expect(JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')).warnings).toEqual(['a term is inert']);
  folder.close();
});
