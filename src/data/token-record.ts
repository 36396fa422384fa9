import { SAMPLE_KEY_BYTES } from './batch.ts';

/**
 * How a tokenized sample lies in a file: records of one width for each bucket, little-endian:
 *
 *     key 16 bytes | label int32 | tokens uint32 | offset into the texts file float64 | ids, uint16 or uint32
 *
 * The ids are padded with `padId` to the bucket's length, so that any record is found by its number alone.
 */
export interface RecordLayout {
  /** T, the bucket's length in tokens. */
  readonly length: number;
  /** 2 where every id fits in uint16, else 4. */
  readonly idBytes: 2 | 4;
  /** The whole record. */
  readonly bytes: number;
}

export const LABEL_AT = SAMPLE_KEY_BYTES;
export const TOKENS_AT = LABEL_AT + 4;
export const TEXT_OFFSET_AT = TOKENS_AT + 4;
export const IDS_AT = TEXT_OFFSET_AT + 8;

export function recordLayout(length: number, vocabularySize: number): RecordLayout {
  const idBytes = vocabularySize <= 0x10000 ? 2 : 4;
  return { length, idBytes, bytes: IDS_AT + length * idBytes };
}

/** Writes one record at the beginning of `into`. */
export function writeRecord(
  into: Buffer,
  layout: RecordLayout,
  key: Uint8Array,
  label: number,
  textOffset: number,
  ids: readonly number[],
  padId: number,
): void {
  into.set(key, 0);
  into.writeInt32LE(label, LABEL_AT);
  into.writeUInt32LE(ids.length, TOKENS_AT);
  into.writeDoubleLE(textOffset, TEXT_OFFSET_AT);
  for (let i = 0; i < layout.length; i++) {
    const id = i < ids.length ? (ids[i] as number) : padId;
    if (layout.idBytes === 2) into.writeUInt16LE(id, IDS_AT + 2 * i);
    else into.writeUInt32LE(id, IDS_AT + 4 * i);
  }
}
