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
