import * as nodeFiles from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { textOf } from './bytes.ts';
import type { Files } from './files.ts';
import { MemoryFiles } from './memory-files.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) nodeFiles.rmSync(folder, { recursive: true, force: true });
});

/** What some work does, and what it leaves behind, in Node's files and in memory: with errors by their codes. */
function onBoth(work: (files: Files, folder: string) => unknown): [node: unknown, memory: unknown] {
  const outcome = (files: Files, folder: string) => {
    const attempt = () => {
      try {
        return work(files, folder);
      } catch (error) {
        return `throws ${(error as NodeJS.ErrnoException).code}`;
      }
    };
    const result = attempt();
    const names = files.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    const contents = names.map((name) => {
      const path = join(folder, name);
      return [name, files.statSync(path).isFile() ? textOf(files.readFileSync(path)) : null];
    });
    return { result, contents };
  };
  const folder = nodeFiles.mkdtempSync(join(tmpdir(), 'limbeck-files-'));
  folders.push(folder);
  const memory = new MemoryFiles();
  return [outcome(nodeFiles, folder), outcome(memory, memory.mkdtempSync('/tmp/files-'))];
}

const CASES: Record<string, (files: Files, folder: string) => unknown> = {
  'writes and replaces': (files, folder) => {
    files.writeFileSync(`${folder}/a`, 'first, and longer');
    files.writeFileSync(`${folder}/a`, 'second');
    return files.statSync(`${folder}/a`).size;
  },
  'will not replace with wx': (files, folder) => {
    files.writeFileSync(`${folder}/a`, '1', { flag: 'wx' });
    files.writeFileSync(`${folder}/a`, '2', { flag: 'wx' });
  },
  appends: (files, folder) => {
    files.appendFileSync(`${folder}/a`, 'one ');
    files.appendFileSync(`${folder}/a`, new TextEncoder().encode('two'));
  },
  'writes bit by bit and reads from a place': (files, folder) => {
    const writing = files.openSync(`${folder}/a`, 'wx');
    const bytes = new TextEncoder().encode('0123456789');
    const written = files.writeSync(writing, bytes, 0, 4) + files.writeSync(writing, bytes, 4, 6);
    files.fsyncSync(writing);
    files.closeSync(writing);
    const reading = files.openSync(`${folder}/a`, files.constants.O_RDONLY);
    const into = new Uint8Array(8);
    const counts = [
      files.readSync(reading, into, 0, 3, null),
      files.readSync(reading, into, 3, 2, null),
      files.readSync(reading, into, 5, 3, 9),
    ];
    files.closeSync(reading);
    return { written, counts, text: textOf(into) };
  },
  'reads what a descriptor had after a rename over its file': (files, folder) => {
    files.writeFileSync(`${folder}/a`, 'old');
    const reading = files.openSync(`${folder}/a`, files.constants.O_RDONLY);
    files.writeFileSync(`${folder}/b`, 'new');
    files.renameSync(`${folder}/b`, `${folder}/a`);
    const text = textOf(files.readFileSync(reading));
    files.closeSync(reading);
    return text;
  },
  'makes folders, and lists them': (files, folder) => {
    files.mkdirSync(`${folder}/x/y`, { recursive: true });
    files.mkdirSync(`${folder}/x/y`, { recursive: true });
    files.writeFileSync(`${folder}/x/file`, '');
    return [
      files.readdirSync(`${folder}/x`).sort(),
      files
        .readdirSync(`${folder}/x`, { withFileTypes: true })
        .map((entry) => [entry.name, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()])
        .sort(),
    ];
  },
  'moves a folder with all in it': (files, folder) => {
    files.mkdirSync(`${folder}/x/y`, { recursive: true });
    files.writeFileSync(`${folder}/x/y/a`, 'a');
    files.renameSync(`${folder}/x`, `${folder}/z`);
    return [files.existsSync(`${folder}/x/y`), files.existsSync(`${folder}/z/y/a`)];
  },
  'copies and links': (files, folder) => {
    files.writeFileSync(`${folder}/a`, 'a');
    files.linkSync(`${folder}/a`, `${folder}/b`);
    files.copyFileSync(`${folder}/a`, `${folder}/c`);
    files.linkSync(`${folder}/a`, `${folder}/c`);
  },
  'removes a folder with all in it': (files, folder) => {
    files.mkdirSync(`${folder}/x/y`, { recursive: true });
    files.writeFileSync(`${folder}/xy`, 'stays');
    files.rmSync(`${folder}/x`, { recursive: true });
    files.rmSync(`${folder}/gone`, { force: true });
  },
  'has no file there': (files, folder) => files.readFileSync(`${folder}/a`),
  'has no folder there': (files, folder) => files.readdirSync(`${folder}/a`),
  'has no folder to write in': (files, folder) => files.writeFileSync(`${folder}/x/a`, ''),
  'has a file where a folder should be': (files, folder) => {
    files.writeFileSync(`${folder}/a`, '');
    files.writeFileSync(`${folder}/a/b`, '');
  },
  'has a folder where a file should be': (files, folder) => {
    files.mkdirSync(`${folder}/a`);
    files.writeFileSync(`${folder}/a`, '');
  },
  'has a folder there already': (files, folder) => {
    files.mkdirSync(`${folder}/a`);
    files.mkdirSync(`${folder}/a`);
  },
  'removes nothing': (files, folder) => files.rmSync(`${folder}/a`),
  'has not opened it': (files) => files.closeSync(1_000_000),
  'tells of what is not there when it may': (files, folder) =>
    files.statSync(`${folder}/a`, { throwIfNoEntry: false }) === undefined,
};

it.each(Object.keys(CASES))('%s as Node does', (name) => {
  const [node, memory] = onBoth(CASES[name] as (typeof CASES)[string]);
  expect(memory).toEqual(node);
});

it('tells what was changed, what is new before what is gone', () => {
  const files = new MemoryFiles();
  files.mkdirSync('/run/new', { recursive: true });
  const changed: string[] = [];
  const stop = files.onChange((path) => changed.push(path));
  files.writeFileSync('/run/new/model', 'm');
  files.renameSync('/run/new', '/run/student');
  files.rmSync('/run/student', { recursive: true });
  stop();
  files.writeFileSync('/run/later', '');
  expect(changed.filter((path) => path.endsWith('model'))).toEqual([
    '/run/new/model',
    '/run/new/model',
    '/run/student/model',
    '/run/new/model',
    '/run/student/model',
  ]);
  expect([...files.filesIn('/run')].map(({ path }) => path)).toEqual(['/run/later']);
});
