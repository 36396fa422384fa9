import { crc32 } from '../crc32.ts';
import { compareBytes, joinBytes, latin1Of, numbersIn } from '../platform/bytes.ts';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import type { KeyValueFile } from './key-value-file.ts';

const FILE = 'records';
/** Before each record: the length of its key, its own length, the CRC-32 of both. */
const HEAD = 12;
/** The length of what is no record: its key was removed. */
const REMOVED = 0xffff_ffff;

/**
 * Records in one file to whose end everything is written, with all of them in memory: for a browser, where there is no LMDB and
 * one page uses it. A write that was cut off, and what follows damage, are left out when it is opened, and overwritten.
 */
export class RecordFile implements KeyValueFile {
  readonly #path: string;
  readonly #records = new Map<string, { key: Uint8Array; record: Uint8Array }>();

  constructor(folder: string) {
    this.#path = join(folder, FILE);
    if (!existsSync(this.#path)) return;
    const bytes = readFileSync(this.#path);
    const sound = this.#read(bytes);
    if (sound < bytes.length) writeFileSync(this.#path, bytes.subarray(0, sound));
  }

  get count(): number {
    return this.#records.size;
  }

  has(key: Uint8Array): boolean {
    return this.#records.has(latin1Of(key));
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(latin1Of(key))?.record;
  }

  entries(after: Uint8Array | undefined, limit: number): { key: Uint8Array; record: Uint8Array }[] {
    return [...this.#records.values()]
      .filter(({ key }) => !after || compareBytes(key, after) > 0)
      .sort((a, b) => compareBytes(a.key, b.key))
      .slice(0, limit);
  }

  put(keys: readonly Uint8Array[], records: readonly Uint8Array[]): void {
    this.#append(keys.map((key, i) => entryOf(key, records[i] as Uint8Array)));
  }

  remove(keys: readonly Uint8Array[]): void {
    this.#append(keys.map((key) => entryOf(key, undefined)));
  }

  async close(): Promise<void> {
    this.#records.clear();
  }

  #append(entries: readonly Uint8Array[]): void {
    const bytes = joinBytes(entries);
    appendFileSync(this.#path, bytes);
    this.#read(bytes);
  }

  /** Takes up all entries, as far as they are sound; returns where the last one of these ends. */
  #read(bytes: Uint8Array): number {
    const view = numbersIn(bytes);
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const [keyBytes, told, checksum] = [0, 4, 8].map((place) => view.getUint32(at + place, true)) as [
        number,
        number,
        number,
      ];
      const recordBytes = told === REMOVED ? 0 : told;
      const end = at + HEAD + keyBytes + recordBytes;
      if (end > bytes.length || crc32(bytes.subarray(at + HEAD, end)) !== checksum) break;
      const key = bytes.subarray(at + HEAD, at + HEAD + keyBytes);
      if (told === REMOVED) this.#records.delete(latin1Of(key));
      else this.#records.set(latin1Of(key), { key, record: bytes.subarray(at + HEAD + keyBytes, end) });
      at = end;
    }
    return at;
  }
}

function entryOf(key: Uint8Array, record: Uint8Array | undefined): Uint8Array {
  const entry = new Uint8Array(HEAD + key.length + (record?.length ?? 0));
  entry.set(key, HEAD);
  if (record) entry.set(record, HEAD + key.length);
  const view = numbersIn(entry);
  view.setUint32(0, key.length, true);
  view.setUint32(4, record?.length ?? REMOVED, true);
  view.setUint32(8, crc32(entry.subarray(HEAD)), true);
  return entry;
}
