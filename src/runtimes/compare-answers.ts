import { type Tensor, toNumbers } from '../onnx/tensor.ts';
import type { Feeds } from './measurement.ts';

/** Why no number tells how far apart two answers are: they have other sizes, or only one of two numbers is finite. */
export type Incomparable = 'other-sizes' | 'not-finite';

/** How the answers of one runtime stand to those of another, over the same calls. */
export interface Agreement {
  readonly output: string;
  readonly calls: number;
  /** The part of calls in which the largest value of each row is in the same place; for rows of several numbers. */
  readonly sameLargest?: number;
  /** The largest difference of a number; null where no number tells it. */
  readonly largestDifference: number | null;
  readonly incomparable?: Incomparable;
  /** How large the finite numbers are at most. */
  readonly largestValue: number;
  /** The call in which answers differ most. */
  readonly worstCall: number;
}

/** Compares two runtimes' answers, output by output. */
export function compareAnswers(ours: readonly Feeds[], others: readonly Feeds[]): Agreement[] {
  const names = Object.keys(ours[0] ?? {}).filter((name) => others[0]?.[name]);
  return names.map((output) => {
    let [largestValue, worstCall, same] = [0, 0, 0];
    let worst: number | Incomparable = 0;
    let areRows = true;
    for (const [call, feeds] of ours.entries()) {
      const mine = feeds[output] as Tensor;
      const [a, b] = [numbersOf(mine), numbersOf(others[call]?.[output] as Tensor)];
      const width = mine.dims.at(-1) ?? 1;
      areRows &&= width > 1 && a.length === b.length;
      if (areRows && sameRows(a, b, width)) same++;
      const difference = differenceOf(a, b);
      if (isFurther(difference, worst)) [worst, worstCall] = [difference, call];
      largestValue = Math.max(largestValue, largestOf(a));
    }
    return {
      output,
      calls: ours.length,
      ...(areRows && { sameLargest: same / ours.length }),
      ...(typeof worst === 'number'
        ? { largestDifference: worst }
        : { largestDifference: null, incomparable: worst }),
      largestValue,
      worstCall,
    };
  });
}

/** The largest difference of two numbers in the same place. Numbers that are the same, or both none, do not differ. */
export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>): number | Incomparable {
  if (a.length !== b.length) return 'other-sizes';
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(x - y);
    if (!Number.isFinite(difference)) return 'not-finite';
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** The size of the largest finite number; 0 without any. */
export function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > largest && Number.isFinite(size)) largest = size;
  }
  return largest;
}

/** Whether answers are further apart: what no number tells is further than any. */
function isFurther(difference: number | Incomparable, than: number | Incomparable): boolean {
  if (typeof than !== 'number') return difference === 'other-sizes' && than !== 'other-sizes';
  return typeof difference !== 'number' || difference > than;
}

export function numbersOf(value: Tensor): ArrayLike<number> {
  // Words and big integers are no numbers to compare; floats and small integers are as they are.
  const isPlain = !/^(bfloat16|float16|u?int64)$/.test(value.type) && !Array.isArray(value.data);
  return isPlain ? (value.data as Float32Array) : toNumbers(value);
}

function sameRows(a: ArrayLike<number>, b: ArrayLike<number>, width: number): boolean {
  const largestAt = (values: ArrayLike<number>, start: number) => {
    let best = start;
    for (let i = start + 1; i < start + width; i++)
      if ((values[i] as number) > (values[best] as number)) best = i;
    return best;
  };
  for (let start = 0; start < a.length; start += width)
    if (largestAt(a, start) !== largestAt(b, start)) return false;
  return true;
}
