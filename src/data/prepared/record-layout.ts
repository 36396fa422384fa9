import { bytesPerElement } from '../../onnx/data-type.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { SAMPLE_KEY_BYTES } from '../batch.ts';
import type { ColumnSpec } from '../columns.ts';
import type { Processor } from '../modalities/modality.ts';

/**
 * How a sample lies in a file: records of one width for each bucket, little-endian, so that any record is found by its
 * number alone. Every part begins at a multiple of eight.
 *
 *     key 16 bytes | what is present uint32, 0 uint32 | place in the file of what is shown float64
 *     for each input:  its bytes uint32, 0 uint32, then those bytes and zeros up to the most that a sample of the bucket has
 *     for each output: its columns' elements
 */
export interface RecordLayout {
  /** The bucket's length on the inputs' axis; 0 without one. */
  readonly length: number;
  readonly inputs: readonly InputPlace[];
  readonly outputs: readonly (readonly ColumnPlace[])[];
  /** The whole record. */
  readonly bytes: number;
}

/** Where an input lies: its length at `at`, its bytes eight further. */
export interface InputPlace {
  readonly at: number;
  readonly most: number;
}

/** Where a sample's elements of a column of an output lie. */
export interface ColumnPlace {
  readonly spec: ColumnSpec;
  readonly at: number;
  readonly bytes: number;
}

export const PRESENT_AT = SAMPLE_KEY_BYTES;
export const SHOWN_AT = PRESENT_AT + 8;
const PARTS_AT = SHOWN_AT + 8;
/** Before an input's bytes. */
export const INPUT_HEAD = 8;

/** Inputs and outputs that there can be of each: a bit of `present` says which of them a sample has. */
export const MOST_PARTS = 16;

/** The bit of `present` for an input, and for an output. */
export const inputBit = (input: number) => 1 << input;
export const outputBit = (output: number) => 1 << (MOST_PARTS + output);

/**
 * Lays out the records of a bucket.
 *
 * @param columns of each output
 * @param axis the name of the axis that `length` is on
 */
export function recordLayout(
  length: number,
  processors: readonly Pick<Processor, 'bytesFor'>[],
  columns: readonly (readonly ColumnSpec[])[],
  axis: string | undefined,
): RecordLayout {
  let at = PARTS_AT;
  const inputs = processors.map((processor) => {
    const most = processor.bytesFor(length);
    const place = { at, most };
    at = aligned(at + INPUT_HEAD + most);
    return place;
  });
  const outputs = columns.map((specs) =>
    specs.map((spec) => {
      const bytes = elementsOf(spec, axis, length) * bytesPerElement(spec.type);
      const place = { spec, at, bytes };
      at = aligned(at + bytes);
      return place;
    }),
  );
  return { length, inputs, outputs, bytes: at };
}

/** Elements of a column for each sample of a bucket. */
export function elementsOf(spec: ColumnSpec, axis: string | undefined, length: number): number {
  return elementCount(shapeOf(spec, axis, length));
}

/** The shape of a column for each sample of a bucket. @throws Error for an axis that the inputs do not have */
export function shapeOf({ name, shape }: ColumnSpec, axis: string | undefined, length: number): number[] {
  return shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    if (dim !== axis) throw new Error(`column ${name} has an axis ${dim}, the inputs have ${axis ?? 'none'}`);
    return length;
  });
}

function aligned(at: number): number {
  return Math.ceil(at / 8) * 8;
}
