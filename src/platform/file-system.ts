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
