import { create, toBinary } from '@bufbuild/protobuf';
import { LimbeckError } from '../../errors.ts';
import { joinBytes } from '../../platform/bytes.ts';
import { closeSync, fstatSync, readSync } from '../../platform/files.ts';
import { openRegularFile } from '../../regular-file.ts';
import { StringStringEntryProtoSchema, TensorProtoSchema } from '../schema/onnx.gen.ts';
import { varint } from '../varint.ts';

/** A kind of message that tensors lie in, and its fields that lead to them. */
interface MessageKind {
  readonly fields: ReadonlyMap<number, () => MessageKind>;
  /** Whether it is a tensor itself. */
  readonly isTensor?: true;
}

const kind = (fields: Record<number, () => MessageKind>): MessageKind => ({
  fields: new Map(Object.entries(fields).map(([field, inner]) => [Number(field), inner])),
});
// The numbers of the fields are those of onnx.proto.
const TENSOR: MessageKind = { fields: new Map(), isTensor: true };
const ATTRIBUTE: MessageKind = kind({ 5: () => TENSOR, 6: () => GRAPH, 11: () => GRAPH });
const NODE: MessageKind = kind({ 5: () => ATTRIBUTE });
const GRAPH: MessageKind = kind({ 1: () => NODE, 5: () => TENSOR });
const MODEL: MessageKind = kind({ 7: () => GRAPH });

const RAW_DATA = 9;
const EXTERNAL = 1;
/** Wire types of the protobuf format. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
/** Messages within messages: more than any model nests, less than the stack holds. */
const MAX_DEPTH = 200;
const WINDOW_BYTES = 1 << 20;

/**
 * The bytes of an ONNX file without those of its large tensors: in their place stand references to where they lie in the file
 * itself, as external data. Of a file of many gigabytes no more is held than its nodes, names and small tensors.
 *
 * @param location what the file is called in the references
 * @param least tensors of fewer bytes stay
 * @throws LimbeckError `model.malformed`; what opening the file throws
 */
export function skimModel(path: string, location: string, least: number): Uint8Array {
  const descriptor = openRegularFile(path);
  try {
    const { size } = fstatSync(descriptor);
    const skimmer = new Skimmer(new WindowReader(descriptor), location, least);
    return joinBytes(skimmer.message(MODEL, 0, size, 0));
  } finally {
    closeSync(descriptor);
  }
}

class Skimmer {
  readonly #file: WindowReader;
  readonly #location: string;
  readonly #least: number;

  constructor(file: WindowReader, location: string, least: number) {
    this.#file = file;
    this.#location = location;
    this.#least = least;
  }

  /** The pieces of the message that lies from `start` to `end`. */
  message({ fields, isTensor }: MessageKind, start: number, end: number, depth: number): Uint8Array[] {
    if (depth > MAX_DEPTH) throw malformed(`messages are nested more than ${MAX_DEPTH} deep`, start);
    const pieces: Uint8Array[] = [];
    let copied = start;
    let at = start;
    const copyTo = (until: number) => {
      if (until > copied) pieces.push(this.#file.bytes(copied, until - copied));
    };
    while (at < end) {
      const field = this.#field(at, end);
      const inner = field.wire === LENGTH ? fields.get(field.number)?.() : undefined;
      const isLarge = field.length >= this.#least;
      if (isTensor && field.wire === LENGTH && field.number === RAW_DATA && isLarge) {
        copyTo(at);
        pieces.push(this.#reference(field.begin, field.length));
        copied = field.begin + field.length;
      } else if (inner && isLarge) {
        copyTo(at);
        const content = this.message(inner, field.begin, field.begin + field.length, depth + 1);
        pieces.push(tag(field.number), varint(bytesIn(content)), ...content);
        copied = field.begin + field.length;
      }
      at = field.begin + field.length;
    }
    copyTo(end);
    return pieces;
  }

  /** The head of the field at a place: its number, and where its content lies. */
  #field(at: number, end: number) {
    const [key, begin] = this.#varint(at, end);
    const [number, wire] = [Math.floor(key / 8), key % 8];
    const within = (from: number, length: number) => {
      if (from + length > end) throw malformed('a field ends behind what holds it', at);
      return { number, wire, begin: from, length };
    };
    if (wire === VARINT) return within(begin, this.#varint(begin, end)[1] - begin);
    if (wire === FIXED64) return within(begin, 8);
    if (wire === FIXED32) return within(begin, 4);
    if (wire !== LENGTH) throw malformed(`a field of the unknown wire type ${wire}`, at);
    const [length, content] = this.#varint(begin, end);
    return within(content, length);
  }

  /** A number of up to ten bytes, and the place behind it. */
  #varint(at: number, end: number): [number, number] {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++, scale *= 128) {
      if (at + i >= end) throw malformed('it ends within a number', at);
      const byte = this.#file.byte(at + i);
      value += (byte & 127) * scale;
      if (byte < 128) return [value, at + i + 1];
    }
    throw malformed('a number has more than ten bytes', at);
  }

  #reference(offset: number, length: number): Uint8Array {
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    return toBinary(
      TensorProtoSchema,
      create(TensorProtoSchema, {
        dataLocation: EXTERNAL,
        externalData: [
          entry('location', this.#location),
          entry('offset', String(offset)),
          entry('length', String(length)),
        ],
      }),
    );
  }
}

/** A file that is looked at here and there, mostly forwards. */
class WindowReader {
  readonly #descriptor: number;
  readonly #window = new Uint8Array(WINDOW_BYTES);
  #start = 0;
  #length = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  byte(at: number): number {
    if (at < this.#start || at >= this.#start + this.#length) {
      this.#start = at;
      this.#length = readSync(this.#descriptor, this.#window, 0, WINDOW_BYTES, at);
      if (this.#length === 0) throw malformed('it became shorter while it was read', at);
    }
    return this.#window[at - this.#start] as number;
  }

  bytes(at: number, length: number): Uint8Array {
    const into = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#descriptor, into, done, Math.min(length - done, 2 ** 30), at + done);
      if (count === 0) throw malformed('it became shorter while it was read', at);
      done += count;
    }
    return into;
  }
}

function tag(field: number): Uint8Array {
  return varint(field * 8 + LENGTH);
}

function bytesIn(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function malformed(message: string, at: number): LimbeckError {
  return new LimbeckError('model.malformed', `not a whole ONNX file: ${message}, at byte ${at}`, {
    remedy: 'Fetch or export the model again.',
  });
}
