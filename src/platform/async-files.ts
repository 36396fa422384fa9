import type { FileStatus, FolderEntry } from './files.ts';
import * as files from './files.ts';
import { nodeModule } from './node-modules.ts';

/** The part of `node:fs/promises` that the core uses. */
interface AsyncFiles {
  mkdir(path: string, options?: { recursive?: boolean }): Promise<unknown>;
  mkdtemp(prefix: string): Promise<string>;
  readdir(path: string): Promise<string[]>;
  readdir(path: string, options: { withFileTypes: true }): Promise<FolderEntry[]>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void>;
  stat(path: string): Promise<FileStatus>;
  utimes(path: string, read: Date, changed: Date): Promise<void>;
  writeFile(path: string, content: string | Uint8Array, options?: { flush?: boolean }): Promise<void>;
}

/** Those of a page are at hand in memory. `mkdir` is this one in Node too, whose own may never return. */
const inMemory: AsyncFiles = {
  mkdir: async (...args) => files.mkdirSync(...args),
  mkdtemp: async (...args) => files.mkdtempSync(...args),
  async readdir(path: string, options?: object): Promise<never> {
    return files.readdirSync(path, options as { withFileTypes: true }) as never;
  },
  rename: async (...args) => files.renameSync(...args),
  rm: async (...args) => files.rmSync(...args),
  stat: async (path) => files.statSync(path),
  utimes: async (...args) => files.utimesSync(...args),
  writeFile: async (...args) => files.writeFileSync(...args),
};

const own: AsyncFiles = { ...(nodeModule('node:fs/promises') ?? inMemory), mkdir: inMemory.mkdir };

export const { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } = own;
