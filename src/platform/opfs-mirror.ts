import type { MemoryFiles } from './memory-files.ts';
import { relative } from './paths.ts';

/** Names of files that mean something only as long as the page lives: locks, and what is being written. */
const PASSING = /\.lock$|\.lock\.|\.partial(\/|$)|\.tmp$|\.part(-[\d-]+)?(\/|$)/;

export interface MirrorOptions {
  /** The folder in memory. */
  readonly folder: string;
  /** Where it is kept: a folder of the origin's private file system. */
  readonly directory: FileSystemDirectoryHandle;
  /** Told when the browser refuses to keep something (there is no room); the files in memory are not affected. */
  readonly onProblem?: (error: unknown) => void;
}

/**
 * Keeps a folder of `MemoryFiles` in the origin's private file system (OPFS), where a page finds it when it is loaded again. What
 * is there is read at once; what changes is written behind, file by file, in the order of the changes: a file appears there whole
 * or not at all.
 *
 * @example
 * const root = await navigator.storage.getDirectory();
 * const directory = await root.getDirectoryHandle('limbeck', { create: true });
 * const mirror = await OpfsMirror.open(files, { folder: '/runs', directory });
 * // ...
 * await mirror.flush();
 */
export class OpfsMirror {
  readonly #files: MemoryFiles;
  readonly #options: MirrorOptions;
  /** Paths that changed since they were written, the one that changed last at the end. */
  readonly #changed = new Set<string>();
  #writing: Promise<void> | undefined;
  #stop: () => void = () => {};

  private constructor(files: MemoryFiles, options: MirrorOptions) {
    this.#files = files;
    this.#options = options;
  }

  static async open(files: MemoryFiles, options: MirrorOptions): Promise<OpfsMirror> {
    files.mkdirSync(options.folder, { recursive: true });
    await readInto(files, options.folder, options.directory);
    const mirror = new OpfsMirror(files, options);
    mirror.#stop = files.onChange((path) => mirror.#noted(path));
    return mirror;
  }

  /** Resolves when all that has changed until now is kept. */
  async flush(): Promise<void> {
    while (this.#changed.size > 0 || this.#writing) await (this.#writing ?? this.#start());
  }

  /** Keeps what has changed, and nothing that changes later. */
  async close(): Promise<void> {
    this.#stop();
    await this.flush();
  }

  #noted(path: string): void {
    const name = relative(this.#options.folder, path);
    if (name === '' || name.startsWith('..') || PASSING.test(name)) return;
    this.#changed.delete(name);
    this.#changed.add(name);
    if (!this.#writing) void this.#start();
  }

  #start(): Promise<void> {
    this.#writing = (async () => {
      // Whoever changes files in a row is done with it first.
      await Promise.resolve();
      while (this.#changed.size > 0) {
        // All as it is now, so that what is kept fits together; a file that changes all the time does not wait for ever.
        const round = [...this.#changed].map((name) => [name, this.#files.look(this.#pathOf(name))] as const);
        this.#changed.clear();
        for (const [name, content] of round) {
          try {
            await keep(this.#options.directory, name.split('/'), content);
          } catch (error) {
            this.#options.onProblem?.(error);
          }
        }
      }
      this.#writing = undefined;
    })();
    return this.#writing;
  }

  #pathOf(name: string): string {
    return `${this.#options.folder}/${name}`;
  }
}

/** Makes what is at a place what it is in memory: a file's bytes, a folder, or nothing. */
async function keep(
  directory: FileSystemDirectoryHandle,
  parts: readonly string[],
  content: ReturnType<MemoryFiles['look']>,
): Promise<void> {
  const last = parts.at(-1) as string;
  if (content === undefined) return remove(directory, parts.slice(0, -1), last);
  const place = await folderIn(directory, content === 'folder' ? parts : parts.slice(0, -1));
  if (content === 'folder') return;
  const handle = await place.getFileHandle(last, { create: true });
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
}

async function readInto(
  files: MemoryFiles,
  folder: string,
  directory: FileSystemDirectoryHandle,
): Promise<void> {
  for await (const [name, handle] of entriesOf(directory)) {
    const path = `${folder}/${name}`;
    if (handle.kind === 'file') {
      const file = await (handle as FileSystemFileHandle).getFile();
      // A browser that was killed while it wrote leaves its own temporary file.
      if (name.endsWith('.crswap')) continue;
      files.writeFileSync(path, new Uint8Array(await file.arrayBuffer()));
      files.utimesSync(path, new Date(), new Date(file.lastModified));
    } else {
      files.mkdirSync(path, { recursive: true });
      await readInto(files, path, handle as FileSystemDirectoryHandle);
    }
  }
}

/** TypeScript's types of the DOM lack it (without `dom.asynciterable`). */
function entriesOf(directory: FileSystemDirectoryHandle): AsyncIterable<[string, FileSystemHandle]> {
  return (directory as unknown as { entries(): AsyncIterable<[string, FileSystemHandle]> }).entries();
}

async function folderIn(
  directory: FileSystemDirectoryHandle,
  parts: readonly string[],
): Promise<FileSystemDirectoryHandle> {
  let place = directory;
  for (const part of parts) place = await place.getDirectoryHandle(part, { create: true });
  return place;
}

/** Removes a file or a folder with all in it; harmless where it is not there. */
async function remove(
  directory: FileSystemDirectoryHandle,
  parts: readonly string[],
  name: string,
): Promise<void> {
  try {
    let place = directory;
    for (const part of parts) place = await place.getDirectoryHandle(part);
    await place.removeEntry(name, { recursive: true });
  } catch (error) {
    if ((error as DOMException).name !== 'NotFoundError') throw error;
  }
}
