import { SEQUENCE } from '../data/columns.ts';

/** The shape of an answer to one sample: numbers, and `sequence` for the length of a text. */
export type AnswerDims = readonly (number | typeof SEQUENCE)[];

/** The shape for a text of so many tokens. */
export function dimsAt(dims: AnswerDims, length: number): number[] {
  return dims.map((dim) => (dim === SEQUENCE ? length : dim));
}

/** Whether the length of a text is part of the shape. */
export function hasLength(dims: AnswerDims): boolean {
  return dims.includes(SEQUENCE);
}

/** Where a text's tokens lie within its padded length. */
export interface Span {
  readonly padded: number;
  readonly start: number;
  readonly length: number;
}

/**
 * What an answer says of a text's tokens alone, without the places of its padding.
 *
 * @param values of the shape at the padded length
 * @returns of the shape at the text's own length
 */
export function withoutPadding(values: Float32Array, dims: AnswerDims, span: Span): Float32Array {
  const kept = new Float32Array(product(dimsAt(dims, span.length)));
  eachRun(dims, span, (own, padded, count) => kept.set(values.subarray(padded, padded + count), own));
  return kept;
}

/**
 * The same backwards: writes an answer of a text's own length to `into`, which is of the shape at the padded length and
 * holds zeros.
 */
export function writePadded(values: Float32Array, dims: AnswerDims, span: Span, into: Float32Array): void {
  eachRun(dims, span, (own, padded, count) => into.set(values.subarray(own, own + count), padded));
}

/** The stretches that lie in one piece in both shapes: places in the text's own shape and in the padded one. */
function eachRun(
  dims: AnswerDims,
  { padded, start, length }: Span,
  run: (own: number, padded: number, count: number) => void,
): void {
  const [own, whole] = [dimsAt(dims, length), dimsAt(dims, padded)];
  const last = dims.lastIndexOf(SEQUENCE);
  const inner = product(own.slice(last + 1));
  const visit = (axis: number, ownAt: number, wholeAt: number): void => {
    const from = dims[axis] === SEQUENCE ? start : 0;
    if (axis === last) {
      run(ownAt * length * inner, (wholeAt * padded + from) * inner, length * inner);
      return;
    }
    for (let i = 0; i < (own[axis] as number); i++)
      visit(axis + 1, ownAt * (own[axis] as number) + i, wholeAt * (whole[axis] as number) + from + i);
  };
  visit(0, 0, 0);
}

function product(dims: readonly number[]): number {
  return dims.reduce((result, dim) => result * dim, 1);
}
