import { closeSync, existsSync, fstatSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import { LimbeckError } from '../errors.ts';

/** A key-value file of LMDB: keys and values are bytes. */
export type ByteDatabase = Database<Buffer, Uint8Array>;

/**
 * Opens (or makes) the LMDB files of a folder.
 *
 * @throws LimbeckError `store.damaged`, `store.disk-full`, `store.read-only`, `store.failed`.
 */
export function openDatabase(folder: string, mode: 'write' | 'read'): ByteDatabase {
  checkHeader(folder);
  if (mode === 'write') checkRoomForLock(folder);
  try {
    return open<Buffer, Uint8Array>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      readOnly: mode === 'read',
      maxDbs: 0,
    });
  } catch (cause) {
    throw storeError(cause, folder);
  }
}

/** How many records it has. */
export function entryCount(database: ByteDatabase): number {
  return (database.getStats() as { entryCount: number }).entryCount;
}

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
    /EROFS|EACCES|EPERM|Read-only file system|Permission denied|Operation not permitted/i.test(
      `${code} ${message}`,
    )
  ) {
    return new LimbeckError('store.read-only', 'the knowledge store cannot be written to', {
      ...details,
      remedy: 'Give this user the right to write there, or name another folder (`store:` in the recipe).',
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
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
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
const META = { flags: 18, magic: 24, format: 28, pageSize: 48, lastPage: 144, transaction: 152, bytes: 160 };

/**
 * How many pages a sound file may be shorter than its header says: a page that a transaction took and gave back at once
 * is counted but never written, until it is used again (seen: one page short after 80,000 labels).
 */
const UNWRITTEN_PAGES = 16;

/**
 * Checks the two meta pages before LMDB sees the file: it reads through a memory map, so a file that was cut short
 * kills the process where it could have been an error.
 */
function checkHeader(folder: string): void {
  const path = join(folder, 'data.mdb');
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size === 0) return;
    const first = readMeta(file, 0);
    if (!first) throw damaged(folder, 'the first page is no LMDB header');
    if (first.format !== KNOWN_FORMAT) return;
    const second = readMeta(file, first.pageSize);
    if (!second) throw damaged(folder, 'the second page is no LMDB header');
    const newest = first.transaction > second.transaction ? first : second;
    const needed = (Number(newest.lastPage) + 1) * first.pageSize;
    if (size < needed - UNWRITTEN_PAGES * first.pageSize) {
      throw damaged(folder, `the file has ${size} bytes, its header says ${needed}`);
    }
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, position: number) {
  const page = Buffer.alloc(META.bytes);
  if (readSync(file, page, 0, META.bytes, position) < META.bytes) return undefined;
  if (page.readUInt16LE(META.flags) !== META_PAGE_FLAG || page.readUInt32LE(META.magic) !== LMDB_MAGIC) {
    return undefined;
  }
  return {
    format: page.readUInt32LE(META.format),
    pageSize: page.readUInt32LE(META.pageSize),
    lastPage: page.readBigUInt64LE(META.lastPage),
    transaction: page.readBigUInt64LE(META.transaction),
  };
}
