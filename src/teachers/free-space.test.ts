import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requireFreeSpace } from './free-space.ts';

const folder = join(tmpdir(), 'limbeck-not-there', 'models');
const download = { what: 'the download of a/b', remedy: 'Make room.' };

it('refuses what is larger than what is free on the disk of the nearest folder that is there', () => {
  const asked: string[] = [];
  const freeOf = (place: string) => {
    asked.push(place);
    return 3e9;
  };
  expect(() => requireFreeSpace(folder, 3.2e9, download, freeOf)).toThrow(
    expect.objectContaining({
      code: 'teacher.disk',
      message: '3.2 GB are needed for the download of a/b, 3.0 GB are free',
      where: folder,
    }),
  );
  expect(asked).toEqual([tmpdir()]);
  expect(() => requireFreeSpace(folder, 3e9, download, freeOf)).not.toThrow();
});

it('refuses nothing where nobody tells what is free', () => {
  expect(() => requireFreeSpace(folder, 1e18, download, () => undefined)).not.toThrow();
});
