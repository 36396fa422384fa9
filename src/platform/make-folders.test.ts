import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdir } from './async-files.ts';
import { mkdirSync } from './files.ts';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'limbeck-folders-'));
  fs.writeFileSync(join(folder, 'file'), '');
  fs.symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

test('folders are made with those above them, and may be there', () => {
  const path = join(folder, 'a', 'b', 'c');
  mkdirSync(path, { recursive: true });
  mkdirSync(path, { recursive: true });
  mkdirSync('/', { recursive: true });
  expect(fs.statSync(path).isDirectory()).toBe(true);
  expect(() => mkdirSync(path)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});

test('a file or a link that leads nowhere in the way ends it', () => {
  const made = (...names: string[]) => mkdirSync(join(folder, ...names), { recursive: true });
  expect(() => made('file')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(() => made('file', 'below')).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  expect(() => made('dangling')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(() => made('dangling', 'below', 'it')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});

// Node's own `recursive` loops here for ever, so a regression hangs this file.
test.skipIf(process.platform !== 'linux')('so does a file system that takes no folders', async () => {
  for (const path of ['/proc/limbeck', '/proc/limbeck/below/it']) {
    expect(() => mkdirSync(path, { recursive: true })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    await expect(mkdir(path, { recursive: true })).rejects.toMatchObject({ code: 'ENOENT' });
  }
});
