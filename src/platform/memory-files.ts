import { dirname, normalize, resolve } from 'pathe';
import { utf8Of } from './bytes.ts';
import type { FileStatus, Files, FolderEntry } from './file-system.ts';

/** A file's content in memory that grows by doubling, so that appending costs what is appended. */
class Content {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #size = 0;
  changed = new Date();

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size);
  }

  get size(): number {
    return this.#size;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      // A file that is written once is held without room to spare.
      const grown = new Uint8Array(this.#size === 0 ? end : Math.max(end, 2 * this.#bytes.length));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    this.changed = new Date();
  }
}

interface OpenFile {
  readonly path: string;
  readonly content: Content;
  readonly append: boolean;
  position: number;
}

/** What a folder holds in the place of content. */
const FOLDER = Symbol('folder');

/**
 * Files that live in memory, with the behaviour of a POSIX file system as far as `Files` has it: descriptors go on after a
 * rename or a deletion, a rename replaces a file, errors have Node's codes.
 *
 * @example
 * const files = new MemoryFiles();
 * files.mkdirSync('/data', { recursive: true });
 * files.writeFileSync('/data/rows.csv', 'text,label\n');
 */
export class MemoryFiles implements Files {
  readonly constants = { O_RDONLY: 0 };
  readonly #entries = new Map<string, Content | typeof FOLDER>([['/', FOLDER]]);
  readonly #open = new Map<number, OpenFile>();
  readonly #listeners = new Set<(path: string) => void>();
  #nextDescriptor = 3;
  #temporary = 0;

  /** Tells of every path whose file was changed, made or deleted. Returns what ends the telling. */
  onChange(listener: (path: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All files in a folder and in those within it. */
  *filesIn(folder: string): Generator<{ path: string; bytes: Uint8Array<ArrayBuffer> }> {
    const inside = prefixOf(absolute(folder));
    for (const [path, entry] of this.#entries)
      if (entry !== FOLDER && path.startsWith(inside)) yield { path, bytes: entry.bytes };
  }

  /** The bytes of a file as they are now, without a copy; undefined where there is nothing. */
  look(path: string): Uint8Array<ArrayBuffer> | 'folder' | undefined {
    const entry = this.#entries.get(absolute(path));
    return entry === FOLDER ? 'folder' : entry?.bytes;
  }

  appendFileSync(path: string, content: string | Uint8Array): void {
    const file = this.#make(path, 'a');
    file.write(bytesOf(content), file.size);
    this.#tell(absolute(path));
  }

  closeSync(descriptor: number): void {
    this.#opened(descriptor);
    this.#open.delete(descriptor);
  }

  copyFileSync(from: string, to: string): void {
    this.writeFileSync(to, this.#file(from).bytes.slice());
  }

  existsSync(path: string): boolean {
    return this.#entries.has(absolute(path));
  }

  fstatSync(descriptor: number): FileStatus {
    return statusOf(this.#opened(descriptor).content);
  }

  fsyncSync(descriptor: number): void {
    this.#opened(descriptor);
  }

  linkSync(existing: string, second: string): void {
    const content = this.#file(existing);
    const path = absolute(second);
    if (this.#entries.has(path)) throw problem('EEXIST', 'file already exists', path);
    this.#requireFolder(dirname(path));
    this.#entries.set(path, content);
    this.#tell(path);
  }

  lstatSync(path: string): FileStatus {
    return this.statSync(path);
  }

  mkdirSync(path: string, options?: { recursive?: boolean }): void {
    const folder = absolute(path);
    const there = this.#entries.get(folder);
    if (there === FOLDER && options?.recursive) return;
    if (there) throw problem('EEXIST', 'file already exists', folder);
    if (options?.recursive) this.mkdirSync(dirname(folder), options);
    this.#requireFolder(dirname(folder));
    this.#entries.set(folder, FOLDER);
  }

  mkdtempSync(prefix: string): string {
    const path = absolute(`${prefix}${++this.#temporary}`);
    this.mkdirSync(path, { recursive: true });
    return path;
  }

  openSync(path: string, flags: string | number): number {
    const how = typeof flags === 'number' ? 'r' : flags;
    const content = how.startsWith('r') ? this.#file(path) : this.#make(path, how);
    const descriptor = this.#nextDescriptor++;
    this.#open.set(descriptor, { path: absolute(path), content, append: how.startsWith('a'), position: 0 });
    return descriptor;
  }

  readFileSync(file: string | number): Uint8Array {
    return (typeof file === 'number' ? this.#opened(file).content : this.#file(file)).bytes.slice();
  }

  readSync(
    descriptor: number,
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number {
    const file = this.#opened(descriptor);
    const from = position ?? file.position;
    const bytes = file.content.bytes.subarray(from, from + length);
    into.set(bytes, offset);
    if (position === null) file.position += bytes.length;
    return bytes.length;
  }

  readdirSync(path: string, options?: { recursive?: boolean; encoding: 'utf8' }): string[];
  readdirSync(path: string, options: { withFileTypes: true }): FolderEntry[];
  readdirSync(
    path: string,
    options: { recursive?: boolean; withFileTypes?: boolean } = {},
  ): string[] | FolderEntry[] {
    const folder = absolute(path);
    this.#requireFolder(folder);
    const inside = prefixOf(folder);
    const names = [...this.#entries.keys()]
      .filter((name) => name !== folder && name.startsWith(inside))
      .map((name) => name.slice(inside.length))
      .filter((name) => options.recursive || !name.includes('/'))
      .sort();
    if (!options.withFileTypes) return names;
    return names.map((name) => {
      const isFolder = this.#entries.get(inside + name) === FOLDER;
      return { name, isFile: () => !isFolder, isDirectory: () => isFolder, isSymbolicLink: () => false };
    });
  }

  readlinkSync(path: string): string {
    throw problem('EINVAL', 'not a link', this.#existing(path));
  }

  realpathSync(path: string): string {
    return this.#existing(path);
  }

  renameSync(from: string, to: string): void {
    const [old, path] = [this.#existing(from), absolute(to)];
    const entry = this.#entries.get(old);
    this.#requireFolder(dirname(path));
    const there = this.#entries.get(path);
    if (there && (there === FOLDER) !== (entry === FOLDER))
      throw problem(there === FOLDER ? 'EISDIR' : 'ENOTDIR', 'a file cannot replace a folder', path);
    if (there === FOLDER && this.readdirSync(path).length > 0)
      throw problem('ENOTEMPTY', 'folder not empty', path);
    const moved = [...this.#entries].filter(([name]) => name === old || name.startsWith(prefixOf(old)));
    for (const [name] of moved) this.#entries.delete(name);
    for (const [name, content] of moved) this.#entries.set(path + name.slice(old.length), content);
    for (const [name] of moved) {
      // What replaces comes before what is gone: a copy that is kept elsewhere never lacks both.
      this.#tell(path + name.slice(old.length));
      this.#tell(name);
    }
  }

  rmSync(path: string, options: { recursive?: boolean; force?: boolean } = {}): void {
    const gone = absolute(path);
    const entry = this.#entries.get(gone);
    if (!entry && options.force) return;
    if (!entry) throw problem('ENOENT', 'no such file or directory', gone);
    if (entry === FOLDER && !options.recursive) throw problem('ERR_FS_EISDIR', 'it is a folder', gone);
    for (const name of [...this.#entries.keys()]) {
      if (name !== gone && !name.startsWith(prefixOf(gone))) continue;
      this.#entries.delete(name);
      this.#tell(name);
    }
  }

  statSync(path: string): FileStatus;
  statSync(path: string, options: { throwIfNoEntry: false }): FileStatus | undefined;
  statSync(path: string, options?: { throwIfNoEntry: boolean }): FileStatus | undefined {
    if (options?.throwIfNoEntry === false && !this.existsSync(path)) return undefined;
    return statusOf(this.#entries.get(this.#existing(path)) as Content | typeof FOLDER);
  }

  utimesSync(path: string, _read: Date, changed: Date): void {
    this.#file(path).changed = changed;
    this.#tell(absolute(path));
  }

  writeFileSync(path: string, content: string | Uint8Array, { flag = 'w' }: { flag?: string } = {}): void {
    const file = this.#make(path, flag);
    file.write(bytesOf(content), file.size);
    this.#tell(absolute(path));
  }

  writeSync(descriptor: number, bytes: Uint8Array, offset = 0, length = bytes.byteLength - offset): number {
    const file = this.#opened(descriptor);
    if (file.append) file.position = file.content.size;
    file.content.write(bytes.subarray(offset, offset + length), file.position);
    file.position += length;
    if (this.#entries.get(file.path) === file.content) this.#tell(file.path);
    return length;
  }

  /** The file of a path for writing: a new one but with `a`, which goes on; `x` wants that there is none. */
  #make(path: string, flags: string): Content {
    const name = absolute(path);
    const there = this.#entries.get(name);
    if (there && flags.includes('x')) throw problem('EEXIST', 'file already exists', name);
    if (there === FOLDER) throw problem('EISDIR', 'it is a folder', name);
    if (there && flags.startsWith('a')) return there;
    this.#requireFolder(dirname(name));
    const made = new Content();
    this.#entries.set(name, made);
    this.#tell(name);
    return made;
  }

  #file(path: string): Content {
    const entry = this.#entries.get(this.#existing(path));
    if (entry === FOLDER) throw problem('EISDIR', 'it is a folder', path);
    return entry as Content;
  }

  #existing(path: string): string {
    const name = absolute(path);
    if (!this.#entries.has(name)) throw problem('ENOENT', 'no such file or directory', name);
    return name;
  }

  #opened(descriptor: number): OpenFile {
    const file = this.#open.get(descriptor);
    if (!file) throw problem('EBADF', 'the file is not open', `${descriptor}`);
    return file;
  }

  #requireFolder(path: string): void {
    const entry = this.#entries.get(path);
    if (!entry) throw problem('ENOENT', 'no such file or directory', path);
    if (entry !== FOLDER) throw problem('ENOTDIR', 'not a folder', path);
  }

  #tell(path: string): void {
    for (const listener of this.#listeners) listener(path);
  }
}

function statusOf(entry: Content | typeof FOLDER): FileStatus {
  const isFolder = entry === FOLDER;
  const { size, changed: mtime } = isFolder ? { size: 0, changed: new Date(0) } : entry;
  return {
    isFile: () => !isFolder,
    isDirectory: () => isFolder,
    isFIFO: () => false,
    isSocket: () => false,
    size,
    blocks: Math.ceil(size / 512),
    mtime,
    mtimeMs: mtime.getTime(),
  };
}

function absolute(path: string): string {
  const whole = resolve('/', normalize(path));
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
}

function prefixOf(folder: string): string {
  return folder === '/' ? '/' : `${folder}/`;
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? utf8Of(content) : content;
}

/** An error as Node's file system has them. */
function problem(code: string, message: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${message}, '${path}'`), { code, path });
}
