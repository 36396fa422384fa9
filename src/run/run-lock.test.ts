import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { releaseLock, takeLock } from './run-lock.ts';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-lock-'));
  lock = join(folder, '.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a lock says whose it is, and leaves nothing beside it', () => {
  takeLock(lock);
  expect(readFileSync(lock, 'utf8')).toBe(`${process.pid}\n`);
  expect(readdirSync(folder)).toEqual(['.lock']);
  releaseLock(lock);
  expect(readdirSync(folder)).toEqual([]);
});

test('the lock of a running process is respected, and not given back by another', () => {
  writeFileSync(lock, `${process.ppid}\n`);
  expect(() => takeLock(lock)).toThrow(expect.objectContaining({ code: 'run.locked', where: lock }));
  releaseLock(lock);
  expect(readFileSync(lock, 'utf8')).toBe(`${process.ppid}\n`);
  expect(readdirSync(folder)).toEqual(['.lock']);
});

test.each([
  ['of a process that is gone', '4194305\n'],
  ['without an id', ''],
  ['that says 0', '0\n'],
])('a lock %s is taken over', (_, content) => {
  writeFileSync(lock, content);
  takeLock(lock);
  expect(readFileSync(lock, 'utf8')).toBe(`${process.pid}\n`);
  releaseLock(lock);
  expect(existsSync(lock)).toBe(false);
});

test('a folder that is not there is a problem of writing', () => {
  expect(() => takeLock(join(folder, 'none', '.lock'))).toThrow(
    expect.objectContaining({ code: 'run.write' }),
  );
});
