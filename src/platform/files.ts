import { MemoryFiles } from './memory-files.ts';
import { nodeModule } from './node-modules.ts';

/** What is known of a file or folder. */
export interface FileStatus {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  /** Bytes. */
  readonly size: number;
  /** Units of 512 bytes that it takes on the disk. */
  readonly blocks: number;
  readonly mtime: Date;
  readonly mtimeMs: number;
}

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * Files as the core uses them: a part of `node:fs`, by its names, with its errors (`code`: ENOENT, EEXIST, ...). Node's own
 * fits; in a browser they are held in memory (`MemoryFiles`), and kept by whoever wants to (`opfs-mirror.ts`).
 */
export interface Files {
  appendFileSync(path: string, content: string | Uint8Array): void;
  closeSync(descriptor: number): void;
  copyFileSync(from: string, to: string): void;
  existsSync(path: string): boolean;
  fstatSync(descriptor: number): FileStatus;
  fsyncSync(descriptor: number): void;
  linkSync(existing: string, second: string): void;
  lstatSync(path: string): FileStatus;
  mkdirSync(path: string, options?: { recursive?: boolean }): unknown;
  mkdtempSync(prefix: string): string;
  openSync(path: string, flags: string | number): number;
  readFileSync(file: string | number): Uint8Array;
  readSync(
    descriptor: number,
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number;
  readdirSync(path: string, options?: { recursive?: boolean; encoding: 'utf8' }): string[];
  readdirSync(path: string, options: { withFileTypes: true }): FolderEntry[];
  readlinkSync(path: string): string;
  realpathSync(path: string): string;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options?: { recursive?: boolean; force?: boolean }): void;
  statSync(path: string): FileStatus;
  statSync(path: string, options: { throwIfNoEntry: false }): FileStatus | undefined;
  utimesSync(path: string, read: Date, changed: Date): void;
  writeFileSync(
    path: string,
    content: string | Uint8Array,
    options?: { flag?: string; flush?: boolean },
  ): void;
  writeSync(descriptor: number, bytes: Uint8Array, offset?: number, length?: number): number;
  readonly constants: {
    readonly O_RDONLY: number;
    readonly O_NONBLOCK?: number;
    readonly O_NOFOLLOW?: number;
  };
}

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
export const mkdirSync: Files['mkdirSync'] = (...args) => current.mkdirSync(...args);
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
  return options ? current.statSync(path, options) : current.statSync(path);
}

export function readdirSync(path: string, options?: { recursive?: boolean; encoding: 'utf8' }): string[];
export function readdirSync(path: string, options: { withFileTypes: true }): FolderEntry[];
export function readdirSync(path: string, options?: object): string[] | FolderEntry[] {
  return current.readdirSync(path, options as { withFileTypes: true });
}
