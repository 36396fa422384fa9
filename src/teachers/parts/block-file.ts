import { crc32 } from '../../crc32.ts';
import { arrayTypeOf, type DataType } from '../../onnx/data-type.ts';
import { tensorBytes } from '../../onnx/encode-tensor.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { textOf, utf8Of } from '../../platform/bytes.ts';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from '../../platform/files.ts';
import { openRegularFile } from '../../regular-file.ts';
import { writeError } from '../../replace-file.ts';

/** One batch of a block: tensors by name, and what is to be known of them. */
export interface BlockEntry {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Two uint32: the bytes of the head, the CRC-32 of head and tensors. */
const FRAME = 8;

/** A block that is not as it was written. */
export class DamagedBlock extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
  }
}

/**
 * Writes a block: some batches in a file that is there whole or not at all. Each has a checksum.
 * Throws LimbeckError `teacher.disk-full`, `teacher.write`.
 */
export class BlockWriter {
  readonly #path: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#told(() => {
      rmSync(this.#partial, { force: true });
      return openSync(this.#partial, 'wx');
    });
  }

  add({ tensors, facts }: BlockEntry): void {
    const pieces = [...tensors.values()].map(tensorBytes);
    const list = [...tensors].map(([name, { type, dims }], i) => ({
      name,
      type,
      dims,
      bytes: pieces[i]!.byteLength,
    }));
    const head = utf8Of(JSON.stringify({ facts, list }));
    const sum = pieces.reduce((crc, piece) => crc32(piece, crc), crc32(head));
    const frame = new Uint8Array(FRAME);
    const view = new DataView(frame.buffer);
    view.setUint32(0, head.byteLength, true);
    view.setUint32(4, sum, true);
    this.#told(() => {
      for (const piece of [frame, head, ...pieces]) this.#write(piece);
    });
  }

  /** Makes the block be there; the disk has it then. */
  finish(): void {
    this.#told(() => {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      renameSync(this.#partial, this.#path);
    });
  }

  /** Leaves nothing of it. */
  abandon(): void {
    closeSync(this.#descriptor);
    rmSync(this.#partial, { force: true });
  }

  get #partial(): string {
    return `${this.#path}.partial`;
  }

  #write(piece: Uint8Array): void {
    // One call writes less than 2 GiB.
    for (let done = 0; done < piece.byteLength; )
      done += writeSync(this.#descriptor, piece, done, Math.min(piece.byteLength - done, 2 ** 30));
  }

  #told<T>(body: () => T): T {
    try {
      return body();
    } catch (cause) {
      throw writeError(this.#path, cause, 'teacher');
    }
  }
}

/** Reads the batches of a block, one after another. @throws DamagedBlock */
export function* readBlock(path: string): Generator<BlockEntry> {
  const descriptor = openRegularFile(path);
  try {
    const { size } = fstatSync(descriptor);
    const take = (from: number, length: number): Uint8Array => {
      // Nothing is allocated on the word of a damaged head.
      if (!(length >= 0 && from + length <= size)) throw new DamagedBlock(path, 'is cut short');
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const count = readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), from + done);
        if (count === 0) throw new DamagedBlock(path, 'is cut short');
        done += count;
      }
      return bytes;
    };
    for (let at = 0; at < size; ) {
      const frame = new DataView(take(at, FRAME).buffer);
      const head = take(at + FRAME, frame.getUint32(0, true));
      at += FRAME + head.byteLength;
      const { facts, list } = headOf(path, head);
      let sum = crc32(head);
      const contents = list.map(({ bytes: length }) => {
        const bytes = take(at, length);
        at += length;
        sum = crc32(bytes, sum);
        return bytes.buffer as ArrayBuffer;
      });
      if (sum !== frame.getUint32(4, true)) throw new DamagedBlock(path, 'fails its checksum');
      const tensors = list.map(({ name, type, dims }, i): [string, Tensor] => [
        name,
        { type, dims, data: new (arrayTypeOf(type))(contents[i] as ArrayBuffer) },
      ]);
      yield { tensors: new Map(tensors), facts };
    }
  } finally {
    closeSync(descriptor);
  }
}

interface BlockHead {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly list: readonly {
    readonly name: string;
    readonly type: Exclude<DataType, 'string'>;
    readonly dims: readonly number[];
    readonly bytes: number;
  }[];
}

function headOf(path: string, bytes: Uint8Array): BlockHead {
  try {
    const head = JSON.parse(textOf(bytes)) as BlockHead;
    if (Array.isArray(head.list)) return head;
  } catch {
    // Told below.
  }
  throw new DamagedBlock(path, 'fails its checksum');
}
