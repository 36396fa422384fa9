import type { Database } from 'lmdb';
import { LimbeckError } from '../errors.ts';
import { compareBytes, numbersIn } from '../platform/bytes.ts';
import { closeSync, existsSync, fstatSync, readSync, statSync } from '../platform/files.ts';
import { nodeModule, nodePackage } from '../platform/node-modules.ts';
import { join } from '../platform/paths.ts';
import { openRegularFile } from '../regular-file.ts';
import { whyNotWritten } from '../writable-folder.ts';
import type { KeyValueFile } from './key-value-file.ts';
import { pageProblem } from './lmdb-pages.ts';

/**
 * Opens (or makes) the LMDB files of a folder.
 *
 * @throws LimbeckError `store.damaged`, `store.disk-full`, `store.read-only`, `store.failed`.
 */
export function openLmdb(folder: string, mode: 'write' | 'read'): KeyValueFile {
  requireFiles(folder);
  checkDatabase(folder);
  if (mode === 'write') checkRoomForLock(folder);
  try {
    const { open } = nodePackage<typeof import('lmdb')>('lmdb', import.meta.url);
    const database = open<Buffer, Uint8Array>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      readOnly: mode === 'read',
      maxDbs: 0,
    });
    return new LmdbFile(database, folder);
  } catch (cause) {
    throw storeError(cause, folder);
  }
}

class LmdbFile implements KeyValueFile {
  readonly #database: Database<Buffer, Uint8Array>;
  readonly #folder: string;

  constructor(database: Database<Buffer, Uint8Array>, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  get count(): number {
    return (this.#database.getStats() as { entryCount: number }).entryCount;
  }

  has(key: Uint8Array): boolean {
    return this.#database.doesExist(key);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const found = this.#database.getBinaryFast(key as Buffer);
    // It is a larger array that only says it were so long: `subarray` goes beyond that since Node 24.
    return found && new Uint8Array(found.buffer, found.byteOffset, found.length);
  }

  entries(after: Uint8Array | undefined, limit: number): { key: Uint8Array; record: Uint8Array }[] {
    const start = after && Uint8Array.from(after);
    const found: { key: Uint8Array; record: Uint8Array }[] = [];
    const range = this.#database.getRange({ ...(start && { start }), limit: limit + 1, snapshot: true });
    for (const { key, value } of range) {
      if (after && compareBytes(key, after) === 0) continue;
      if (found.length === limit) break;
      found.push({ key: Uint8Array.from(key), record: value });
    }
    return found;
  }

  put(keys: readonly Uint8Array[], records: readonly Uint8Array[]): void {
    this.#transact(() => {
      for (const [i, key] of keys.entries()) this.#database.put(key, records[i] as Buffer);
    });
  }

  remove(keys: readonly Uint8Array[]): void {
    this.#transact(() => {
      for (const key of keys) this.#database.remove(key);
    });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  /**
   * Synchronous on purpose: an asynchronous commit of the lmdb package reports a full disk on promises that nobody
   * holds, and there is nothing to overlap it with, since a model's run blocks this thread anyway.
   */
  #transact(action: () => void): void {
    try {
      this.#database.transactionSync(action);
    } catch (cause) {
      throw storeError(cause, this.#folder);
    }
  }
}

export const NAME_ANOTHER =
  'Give this user the right to write there, or name another folder (--store, or `store:` in the recipe).';

/** What a person is told for an error of LMDB or of the file system. */
export function storeError(cause: unknown, folder: string): LimbeckError {
  if (cause instanceof LimbeckError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = (cause as { code?: string | number } | null)?.code;
  const details = { where: folder, cause };
  if (
    /ENOSPC|EDQUOT|No space left|quota exceeded|MDB_MAP_FULL/i.test(`${code} ${message}`) ||
    isFull(code, folder)
  ) {
    return new LimbeckError('store.disk-full', 'the disk of the knowledge store is full', {
      ...details,
      remedy:
        'Free some space (`limbeck store prune` drops labels that are no longer used), then run the same command ' +
        'again: what was committed is kept, and only the rest is labelled.',
    });
  }
  if (
    code === 'ENOENT' ||
    /EROFS|EACCES|EPERM|Read-only file system|Permission denied|Operation not permitted/i.test(
      `${code} ${message}`,
    )
  ) {
    const why = typeof code === 'string' ? `: ${whyNotWritten(folder, cause)}` : '';
    return new LimbeckError('store.read-only', `the knowledge store cannot be written to${why}`, {
      ...details,
      remedy: NAME_ANOTHER,
    });
  }
  if (
    /MDB_(INVALID|CORRUPTED|PAGE_NOTFOUND|VERSION_MISMATCH|BAD_TXN)|not an LMDB file|corrupt/i.test(message)
  ) {
    return damaged(folder, message, cause);
  }
  return new LimbeckError('store.failed', `the knowledge store failed: ${message}`, {
    ...details,
    remedy: 'Check the disk, and that the folder is on a local file system.',
  });
}

function damaged(folder: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('store.damaged', `the labels in ${folder} are damaged: ${problem}`, {
    where: join(folder, 'data.mdb'),
    remedy:
      'Run `limbeck store verify --repair` (it drops what cannot be read); the next run labels it again.',
    cause,
  });
}

/** LMDB reports a write that was cut short by a full disk as EIO. */
function isFull(code: string | number | undefined, folder: string): boolean {
  return (code === 5 || code === 'EIO') && freeBytes(folder) < 2 ** 21;
}

/** The free bytes of the file system of a folder. */
function freeBytes(folder: string): number {
  const status = nodeModule('node:fs')?.statfsSync(folder);
  return status ? status.bavail * status.bsize : Number.POSITIVE_INFINITY;
}

/**
 * LMDB maps its lock file into memory as a file with holes; on a full disk the first write to a hole kills the
 * process (SIGBUS), where no error can be caught. So there has to be room for it before.
 */
function checkRoomForLock(folder: string): void {
  const lock = join(folder, 'lock.mdb');
  if (existsSync(lock)) {
    const { blocks, size } = statSync(lock);
    if (blocks * 512 >= size) return;
  }
  if (freeBytes(folder) < 2 ** 16)
    throw storeError({ code: 'ENOSPC', message: 'no room for the lock file' }, folder);
}

const META_PAGE_FLAG = 8;
const LMDB_MAGIC = 0xbeefc0de;
/** The file format of the LMDB that the lmdb package holds; others are left to LMDB to refuse. */
const KNOWN_FORMAT = 2;
/** Positions in a meta page of that format. */
const META = {
  flags: 18,
  magic: 24,
  format: 28,
  pageSize: 48,
  freeRoot: 88,
  mainRoot: 136,
  lastPage: 144,
  transaction: 152,
  bytes: 160,
};

/**
 * Up to this size a file's pages are looked at whenever it is opened (some 30 ms for the largest); beyond it only where the
 * file is shorter than its header says, and where it is verified.
 */
const LOOKED_AT_BYTES = 2 ** 26;
/** A file that others write to may change while it is looked at. */
const TRIES = 3;

/**
 * Checks a file before LMDB sees it. A sound one may be shorter than its header says: a page that a transaction took and
 * gave back at once is counted but never written, until it is used again (seen: one page short after 80,000 labels). So what
 * counts is whether all pages that lead to records are there.
 *
 * @throws LimbeckError `store.damaged`
 */
export function checkDatabase(folder: string, { always = false } = {}): void {
  const path = join(folder, 'data.mdb');
  if (!existsSync(path)) return;
  const file = openRegularFile(path);
  try {
    for (let attempt = 1; ; attempt++) {
      const { size } = fstatSync(file);
      if (size === 0) return;
      const header = readHeader(file, folder);
      if (!header) return;
      const { pageSize, newest } = header;
      const needed = (Number(newest.lastPage) + 1) * pageSize;
      if (!always && size >= needed && size > LOOKED_AT_BYTES) return;
      const page = new Uint8Array(pageSize);
      const { transaction } = newest;
      const pages = {
        pageSize,
        transaction,
        pages: Math.floor(size / pageSize),
        read: pageReader(file, page),
      };
      const problem = pageProblem(pages, [newest.freeRoot, newest.mainRoot]);
      if (problem === undefined) return;
      const changed = readHeader(file, folder)?.newest.transaction !== newest.transaction;
      // Somebody is writing to it and finds nothing wrong; then what was found is of two states of it.
      if (changed && attempt === TRIES) return;
      if (!changed) {
        const short = size < needed ? ` (it has ${size} bytes, its header says ${needed})` : '';
        throw damaged(folder, `${problem}${short}`);
      }
    }
  } finally {
    closeSync(file);
  }
}

function pageReader(file: number, page: Uint8Array): (number: number) => Uint8Array {
  return (number) => {
    if (readSync(file, page, 0, page.length, number * page.length) < page.length) page.fill(0);
    return page;
  };
}

/** The newer of the two meta pages; undefined for a format that is left to LMDB. */
function readHeader(file: number, folder: string) {
  const first = readMeta(file, 0);
  if (!first) throw damaged(folder, 'its first page is not an LMDB header');
  if (first.format !== KNOWN_FORMAT) return undefined;
  const { pageSize } = first;
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
    throw damaged(folder, 'its first page is not an LMDB header');
  const second = readMeta(file, pageSize);
  if (!second) throw damaged(folder, 'its second page is not an LMDB header');
  return { pageSize, newest: first.transaction > second.transaction ? first : second };
}

/** LMDB opens what lies there, and waits for a pipe for ever. */
function requireFiles(folder: string): void {
  for (const name of ['data.mdb', 'lock.mdb']) {
    const status = statSync(join(folder, name), { throwIfNoEntry: false });
    if (status && !status.isFile()) throw damaged(folder, `${name} is not a file`);
  }
}

function readMeta(file: number, position: number) {
  const page = new Uint8Array(META.bytes);
  if (readSync(file, page, 0, META.bytes, position) < META.bytes) return undefined;
  const view = numbersIn(page);
  if (view.getUint16(META.flags, true) !== META_PAGE_FLAG || view.getUint32(META.magic, true) !== LMDB_MAGIC)
    return undefined;
  return {
    format: view.getUint32(META.format, true),
    pageSize: view.getUint32(META.pageSize, true),
    freeRoot: view.getBigUint64(META.freeRoot, true),
    mainRoot: view.getBigUint64(META.mainRoot, true),
    lastPage: view.getBigUint64(META.lastPage, true),
    transaction: view.getBigUint64(META.transaction, true),
  };
}
