import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireWritableFolder, whyNotWritten } from './writable-folder.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-writable-'));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const required = (path: string) => requireWritableFolder(path, 'run.write', 'Choose another.');

test('a folder that is there or can be made is taken, and nothing is left', () => {
  required(folder);
  required(join(folder, 'new', 'folder'));
  expect(readdirSync(folder).sort()).toEqual(['dangling', 'file']);
});

describe('refused with what is in the way:', () => {
  test.each([
    ['a file', 'file', 'is not a folder'],
    ['a file above', 'file/below/it', 'is not a folder'],
    ['a link that leads nowhere', 'dangling', 'is a link that leads nowhere'],
    ['such a link above', 'dangling/below', 'is a link that leads nowhere'],
  ])('%s', (_, name, why) => {
    const path = join(folder, name);
    expect(() => required(path)).toThrow(
      expect.objectContaining({
        code: 'run.write',
        message: `cannot write there: '${join(folder, name.split('/')[0] as string)}' ${why}`,
        where: path,
        remedy: 'Choose another.',
      }),
    );
  });

  test.skipIf(process.platform !== 'linux')('a file system that takes no files', () => {
    expect(() => required('/proc/limbeck/run')).toThrow("nothing can be made in '/proc'");
  });
});

test('what a file system says is put in words', () => {
  const why = (code: string, name = 'x') => whyNotWritten(join(folder, name), { code, message: 'raw' });
  expect(why('EROFS')).toBe('its file system is read-only');
  expect(why('EACCES', 'file')).toBe('this user may not write there');
  expect(why('EACCES', 'dangling')).toBe('this user may not write there');
  expect(why('EEXIST', 'file')).toMatch(/file' is not a folder$/);
  expect(why('EIO')).toBe('raw');
});
