import type { FileStatus, Files, FolderEntry } from './file-system.ts';
import { makeFolders } from './make-folders.ts';
import { MemoryFiles } from './memory-files.ts';
import { nodeModule } from './node-modules.ts';

export type { FileStatus, Files, FolderEntry } from './file-system.ts';

const own: Files | undefined = nodeModule('node:fs');

/** Node's files, or those in memory of a page. Its members are looked up when they are called: see `useFiles`. */
let current: Files = own ?? new MemoryFiles();

/**
 * Puts other files in their place, for tests of what runs in a browser.
 *
 * @returns what puts the former ones back.
 */
export function useFiles(files: Files): () => void {
  const before = current;
  current = files;
  return () => {
    current = before;
  };
}

/** The files in memory, where there are no others. */
export function memoryFiles(): MemoryFiles {
  if (!(current instanceof MemoryFiles)) throw new Error('the files are not in memory');
  return current;
}

export const constants: Files['constants'] = own?.constants ?? { O_RDONLY: 0 };

export const appendFileSync: Files['appendFileSync'] = (...args) => current.appendFileSync(...args);
export const closeSync: Files['closeSync'] = (...args) => current.closeSync(...args);
export const copyFileSync: Files['copyFileSync'] = (...args) => current.copyFileSync(...args);
export const existsSync: Files['existsSync'] = (...args) => current.existsSync(...args);
export const fstatSync: Files['fstatSync'] = (...args) => current.fstatSync(...args);
export const fsyncSync: Files['fsyncSync'] = (...args) => current.fsyncSync(...args);
export const linkSync: Files['linkSync'] = (...args) => current.linkSync(...args);
export const lstatSync: Files['lstatSync'] = (...args) => current.lstatSync(...args);
export const mkdirSync: Files['mkdirSync'] = (path, options) =>
  options?.recursive ? makeFolders(current, path) : current.mkdirSync(path);
export const mkdtempSync: Files['mkdtempSync'] = (...args) => current.mkdtempSync(...args);
export const openSync: Files['openSync'] = (...args) => current.openSync(...args);
export const readFileSync: Files['readFileSync'] = (...args) => current.readFileSync(...args);
export const readlinkSync: Files['readlinkSync'] = (...args) => current.readlinkSync(...args);
export const realpathSync: Files['realpathSync'] = (...args) => current.realpathSync(...args);
export const renameSync: Files['renameSync'] = (...args) => current.renameSync(...args);
export const rmSync: Files['rmSync'] = (...args) => current.rmSync(...args);
export const utimesSync: Files['utimesSync'] = (...args) => current.utimesSync(...args);
export const writeFileSync: Files['writeFileSync'] = (...args) => current.writeFileSync(...args);
export const writeSync: Files['writeSync'] = (...args) => current.writeSync(...args);

/** From where the last read ended, unless a position is given. */
export function readSync(
  descriptor: number,
  into: Uint8Array,
  offset = 0,
  length = into.byteLength - offset,
  position: number | null = null,
): number {
  return current.readSync(descriptor, into, offset, length, position);
}

export function statSync(path: string): FileStatus;
export function statSync(path: string, options: { throwIfNoEntry: false }): FileStatus | undefined;
export function statSync(path: string, options?: { throwIfNoEntry: false }): FileStatus | undefined {
  if (!options) return current.statSync(path);
  try {
    return current.statSync(path, options);
  } catch (error) {
    // Nothing is there either where the folder of a path is a file.
    if ((error as { code?: string }).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function readdirSync(path: string, options?: { recursive?: boolean; encoding: 'utf8' }): string[];
export function readdirSync(path: string, options: { withFileTypes: true }): FolderEntry[];
export function readdirSync(path: string, options?: object): string[] | FolderEntry[] {
  return current.readdirSync(path, options as { withFileTypes: true });
}
