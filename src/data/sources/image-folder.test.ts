import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { imageFolder } from './image-folder.ts';

const newFolder = temporaryFolders();

const open = (path: string) =>
  imageFolder.open(imageFolder.options.parse({ path }), { resolvePath: (one) => one, cacheFolder: '' });

async function rowsOf(path: string) {
  const rows: unknown[] = [];
  for await (const row of (await open(path)).rows()) rows.push('sample' in row ? row.sample : row);
  return rows;
}

test('subfolders are classes, and split folders splits; other files are no images', async () => {
  const folder = await newFolder();
  for (const [path, name] of [
    ['train/cats', 'b.PNG'],
    ['train/cats', 'a.jpg'],
    ['train/cats', 'notes.txt'],
    ['test/dogs', 'c.webp'],
  ] as const) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, name), name);
  }
  expect(await rowsOf(folder)).toEqual([
    {
      where: 'test/dogs/c.webp',
      folder,
      split: 'test',
      values: { image: 'test/dogs/c.webp', label: 'dogs' },
    },
    ...['a.jpg', 'b.PNG'].map((name) => ({
      where: `train/cats/${name}`,
      folder,
      split: 'train',
      values: { image: `train/cats/${name}`, label: 'cats' },
    })),
  ]);
});

test('images that cannot be read by their endings are told of', async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, 'cats'));
  for (const name of ['a.jpg', 'b.TIFF', 'c.bmp']) writeFileSync(join(folder, 'cats', name), name);
  const [row, ...notes] = await rowsOf(folder);
  expect(row).toMatchObject({ where: 'cats/a.jpg' });
  expect(notes).toEqual([
    {
      note: {
        kind: 'ignored',
        message: expect.stringMatching(
          /^2 files were ignored \(the first: cats\/b\.TIFF\): images end in \.jpg,/,
        ),
      },
    },
  ]);
});

test('the fingerprint follows what the files hold', async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, 'a'));
  const draw = async (red: number) =>
    writeFileSync(
      join(folder, 'a', '1.png'),
      await sharp({ create: { width: 4, height: 4, channels: 3, background: { r: red, g: 0, b: 0 } } })
        .png()
        .toBuffer(),
    );
  await draw(0);
  const before = await (await open(folder)).fingerprint();
  await draw(200);
  expect(await (await open(folder)).fingerprint()).not.toBe(before);
});

test('a folder without subfolders is refused with what to do', async () => {
  await expect(open(await newFolder())).rejects.toMatchObject({
    code: 'data.wrong-format',
    remedy: 'Put the images of each class into a subfolder with the name of the class.',
  });
});

test('links, and files beside or below the folders of classes, are told of', async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, 'cats/more'), { recursive: true });
  for (const name of ['loose.png', 'readme.md', 'cats/a.png', 'cats/more/b.png', 'cats/more/c.txt'])
    writeFileSync(join(folder, name), name);
  symlinkSync(join(folder, 'cats/a.png'), join(folder, 'cats/link.png'));
  symlinkSync(join(folder, 'cats'), join(folder, 'dogs'));
  symlinkSync(join(folder, 'readme.md'), join(folder, 'LICENSE.md'));
  const [row, ...notes] = await rowsOf(folder);
  expect(row).toMatchObject({ where: 'cats/a.png' });
  expect(notes).toEqual([
    {
      note: {
        kind: 'ignored',
        message: '2 symbolic links were ignored (the first: dogs): put the files in their places',
      },
    },
    {
      note: {
        kind: 'ignored',
        message:
          '2 images were ignored (the first: loose.png): they are not directly in the folder of a class',
      },
    },
  ]);
});

test('a folder whose images all lie deeper than its classes is refused with where they are', async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, 'photos/train/cats'), { recursive: true });
  writeFileSync(join(folder, 'photos/train/cats/a.png'), 'a');
  await expect(rowsOf(folder)).rejects.toMatchObject({
    code: 'data.empty',
    message: expect.stringContaining('1 images were ignored (the first: photos/train/cats/a.png)'),
  });
});
