import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRecipe } from './cli/recipe-file.ts';
import { openFileHandle } from './node-file-handle.ts';
import { readModelFile } from './onnx/node-files.ts';
import { openRegularFile, readRegularFile, readRegularFileAsync, streamRegularFile } from './regular-file.ts';
import { RunFolder } from './run/folder/run-folder.ts';
import { openOnnxFile } from './teachers/onnx-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('reads a file, also through a link', async () => {
  const [file, link] = [join(folder, 'file'), join(folder, 'link')];
  writeFileSync(file, 'content');
  symlinkSync(file, link);
  expect(readRegularFile(link).toString()).toBe('content');
  expect((await readRegularFileAsync(link)).toString()).toBe('content');
  const parts: Uint8Array[] = [];
  for await (const part of streamRegularFile(link)) parts.push(part);
  expect(Buffer.concat(parts).toString()).toBe('content');
});

describe.skipIf(process.platform === 'win32')('what is not a file', () => {
  const places: [what: string, make: (path: string) => unknown][] = [
    ['a folder', (path) => execFileSync('mkdir', [path])],
    ['a named pipe', (path) => execFileSync('mkfifo', [path])],
    ['a device', (path) => symlinkSync('/dev/zero', path)],
    ['a socket', (path) => new Promise<void>((done) => createServer().unref().listen(path, done))],
  ];

  it.each(places)('is refused at once: %s', async (what, make) => {
    const path = join(folder, 'x');
    await make(path);
    const refusal = expect.objectContaining({ code: 'cli.not-a-file', message: `it is ${what}, not a file` });
    expect(() => openRegularFile(path)).toThrow(refusal);
    expect(() => readRegularFile(path)).toThrow(refusal);
    expect(() => streamRegularFile(path)).toThrow(refusal);
    await expect(openFileHandle(path)).rejects.toEqual(refusal);
    await expect(readRegularFileAsync(path)).rejects.toEqual(refusal);
  });

  it('is told for what it is, wherever it was given', async () => {
    const pipe = (name: string) => {
      execFileSync('mkfifo', [join(folder, name)]);
      return join(folder, name);
    };
    const typed = (code: string) =>
      expect.objectContaining({ code, message: expect.stringContaining('it is a named pipe') });
    expect(() => readModelFile(pipe('model.onnx'))).toThrow(typed('model.unreadable'));
    await expect(loadRecipe({ workingFolder: folder }, pipe('recipe.yaml'))).rejects.toEqual(
      typed('cli.not-a-file'),
    );
    // The tokenizer is looked at first, so this needs to be no model.
    writeFileSync(join(folder, 'teacher.onnx'), '');
    const teacher = {
      model: join(folder, 'teacher.onnx'),
      tokenizer: pipe('tokenizer.json'),
      train: 'none' as const,
    };
    await expect(openOnnxFile(teacher)).rejects.toEqual(typed('tokenizer.missing'));
    pipe('recipe.resolved.yaml');
    const run = () => new RunFolder(folder, 'name: a\n', { recipeFolder: folder, storeFolder: folder });
    expect(run).toThrow(typed('cli.not-a-file'));
  });
});
