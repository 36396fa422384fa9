import { nodeModule } from '../platform/node-modules.ts';
import type { KeyValueFile } from './key-value-file.ts';
import { openLmdb } from './lmdb-file.ts';
import { RecordFile } from './record-file.ts';

/**
 * Opens (or makes) the key-value file of a folder: LMDB in Node, a file of our own in a browser.
 *
 * @throws LimbeckError `store.damaged`, `store.disk-full`, `store.read-only`, `store.failed`.
 */
export function openKeyValueFile(folder: string, mode: 'write' | 'read'): KeyValueFile {
  return nodeModule('node:fs') ? openLmdb(folder, mode) : new RecordFile(folder);
}
