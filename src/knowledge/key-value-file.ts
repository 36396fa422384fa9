import { nodeModule } from '../platform/node-modules.ts';
import { openLmdb } from './lmdb-file.ts';
import { RecordFile } from './record-file.ts';

/** A file of records under keys; keys and records are bytes. Several processes may use one of LMDB at once. */
export interface KeyValueFile {
  /** How many records there are. */
  readonly count: number;
  has(key: Uint8Array): boolean;
  /** The record of a key, in memory that the next call may overwrite. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Up to `limit` records in the order of their keys, beginning behind `after`. */
  entries(after: Uint8Array | undefined, limit: number): { key: Uint8Array; record: Uint8Array }[];
  /** Keeps all records or, when it throws, none; what was under a key is replaced. When it returns, they are on the disk. */
  put(keys: readonly Uint8Array[], records: readonly Uint8Array[]): void;
  remove(keys: readonly Uint8Array[]): void;
  close(): Promise<void>;
}

/**
 * Opens (or makes) the key-value file of a folder: LMDB in Node, a file of our own in a browser.
 *
 * @throws LimbeckError `store.damaged`, `store.disk-full`, `store.read-only`, `store.failed`.
 */
export function openKeyValueFile(folder: string, mode: 'write' | 'read'): KeyValueFile {
  return nodeModule('node:fs') ? openLmdb(folder, mode) : new RecordFile(folder);
}
