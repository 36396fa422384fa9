import * as fs from '../../platform/files.ts';
import { openRegularFile } from '../../regular-file.ts';
import { readFully } from './read-fully.ts';
import type { RecordLayout } from './record-layout.ts';

/** A bucket's file. */
export interface BucketFile {
  readonly path: string;
  /** Samples in it. */
  readonly size: number;
  readonly layout: RecordLayout;
  /**
   * Whether the file is read into memory at its first batch; otherwise every record is read where it lies. A random
   * batch of 128 glosses took 0.06 ms from memory and 0.33 ms from disk, its order included.
   */
  readonly held: boolean;
}

/** Reads records of a split's files, which are opened at the first read. */
export class RecordReader {
  readonly #descriptors = new Map<string, number>();
  readonly #held = new Map<string, Uint8Array>();
  #scratch = new Uint8Array(0);

  /** The records one after another, in a buffer that the next call writes over; neighbours on disk are read at once. */
  records(file: BucketFile, positions: readonly number[]): Uint8Array {
    const { bytes } = file.layout;
    if (this.#scratch.length < positions.length * bytes) {
      this.#scratch = new Uint8Array(positions.length * bytes);
    }
    const held = this.#heldFile(file);
    const descriptor = held ? -1 : this.descriptor(file.path);
    for (let row = 0; row < positions.length; ) {
      const first = positions[row] as number;
      let run = 1;
      while (row + run < positions.length && positions[row + run] === first + run) run++;
      if (held) this.#scratch.set(held.subarray(first * bytes, (first + run) * bytes), row * bytes);
      else readFully(descriptor, this.#scratch, row * bytes, run * bytes, first * bytes, file.path);
      row += run;
    }
    return this.#scratch;
  }

  #heldFile(file: BucketFile): Uint8Array | undefined {
    if (!file.held) return undefined;
    const { path, size, layout } = file;
    const bytes = size * layout.bytes;
    let held = this.#held.get(path);
    if (!held) {
      held = new Uint8Array(bytes);
      readFully(this.descriptor(path), held, 0, bytes, 0, path);
      this.#held.set(path, held);
    }
    return held;
  }

  /** One record, in memory of its own. */
  record(file: BucketFile, position: number): Uint8Array {
    const { bytes } = file.layout;
    const record = new Uint8Array(bytes);
    readFully(this.descriptor(file.path), record, 0, bytes, position * bytes, file.path);
    return record;
  }

  /** The open file, for reads of other kinds. */
  descriptor(path: string): number {
    let descriptor = this.#descriptors.get(path);
    if (descriptor === undefined) {
      descriptor = openRegularFile(path);
      this.#descriptors.set(path, descriptor);
    }
    return descriptor;
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) fs.closeSync(descriptor);
    this.#descriptors.clear();
    this.#held.clear();
  }
}
