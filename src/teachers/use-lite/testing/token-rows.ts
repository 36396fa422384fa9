import { int64, type Tensor } from '../../../onnx/tensor.ts';
import { ATTENTION_MASK, INPUT_IDS } from '../../teacher-source.ts';

/** The encoder's inputs for rows of ids, padded with `padId` to `length` (the longest row's by default). */
export function feedsFor(
  rows: readonly (readonly number[])[],
  length = Math.max(...rows.map((row) => row.length)),
  padId = 0,
): Record<string, Tensor> {
  const dims = [rows.length, length];
  const padded = (value: (row: readonly number[], position: number) => number) =>
    int64(
      rows.flatMap((row) => Array.from({ length }, (_, position) => value(row, position))),
      dims,
    );
  return {
    [INPUT_IDS]: padded((row, position) => row[position] ?? padId),
    [ATTENTION_MASK]: padded((row, position) => (position < row.length ? 1 : 0)),
  };
}

/** The largest absolute difference between two lists of numbers of the same length. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`lists of ${a.length} and ${b.length} numbers`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
