import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processStart } from '../../running-process.ts';
import { releaseLock, takeLock } from './run-lock.ts';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-lock-'));
  lock = join(folder, '.lock');
});
/** What a lock of this process says. */
const own = () => `${process.pid}\n${hostname()}\n${processStart(process.pid) ?? ''}\n`;
afterEach(() => rmSync(folder, { recursive: true }));

test('a lock says whose it is, and leaves nothing beside it', () => {
  takeLock(lock);
  expect(readFileSync(lock, 'utf8')).toBe(own());
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
  expect(readFileSync(lock, 'utf8')).toBe(own());
  releaseLock(lock);
  expect(existsSync(lock)).toBe(false);
});

test('a folder that is not there is a problem of writing', () => {
  expect(() => takeLock(join(folder, 'none', '.lock'))).toThrow(
    expect.objectContaining({ code: 'run.write' }),
  );
});

test.skipIf(process.platform !== 'linux')(
  'a process that has the id of a dead one does not hold its lock',
  () => {
    writeFileSync(lock, `${process.ppid}\n${hostname()}\nanother-boot/1\n`);
    takeLock(lock);
    expect(readFileSync(lock, 'utf8')).toBe(own());
    releaseLock(lock);
  },
);

test('the lock of another machine is respected while its run writes', () => {
  writeFileSync(lock, `${process.pid}\nelsewhere\n\n`);
  expect(() => takeLock(lock)).toThrow(
    expect.objectContaining({ code: 'run.locked', message: expect.stringContaining("'elsewhere'") }),
  );
  // A clock that is ahead is no sign of death.
  utimesSync(lock, new Date(Date.now() + 1e7), new Date(Date.now() + 1e7));
  expect(() => takeLock(lock)).toThrow(expect.objectContaining({ code: 'run.locked' }));
  const long = new Date(Date.now() - 11 * 60_000);
  utimesSync(lock, long, long);
  writeFileSync(join(folder, 'state.json'), '{}');
  expect(() => takeLock(lock)).toThrow(expect.objectContaining({ code: 'run.locked' }));
  utimesSync(join(folder, 'state.json'), long, long);
  takeLock(lock);
  releaseLock(lock);
});

test.skipIf(process.platform === 'win32')('a lock that is a pipe or a folder holds nobody up', () => {
  execFileSync('mkfifo', [lock]);
  expect(() => takeLock(lock)).toThrow(expect.objectContaining({ code: 'run.locked', where: lock }));
  rmSync(lock);
  mkdirSync(lock);
  expect(() => takeLock(lock)).toThrow(expect.objectContaining({ code: 'run.locked', where: lock }));
});
