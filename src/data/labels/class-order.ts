import { indexOfName, numberOfName } from './class-name.ts';

/**
 * Class names found in data, in the order of the outputs of a model: numbers (`-1`, `2`, `10`, `1.0`, `007`) by their
 * value, then `LABEL_2`, `LABEL_10` by their index, then all others by their UTF-16 code units, which is the same on
 * every machine and in every language (and puts `false` before `true`, `no` before `yes`).
 */
export function orderClasses(names: Iterable<string>): string[] {
  return [...names].sort(
    (a, b) =>
      compareRanks(numberOfName(a), numberOfName(b)) ||
      compareWholeNumbers(a, b) ||
      compareRanks(indexOfName(a), indexOfName(b)) ||
      compareText(a, b),
  );
}

/** Smaller numbers first; what is no number comes last. */
function compareRanks(a: number | undefined, b: number | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 64-bit ids that are the same float64. */
function compareWholeNumbers(a: string, b: string): number {
  const whole = /^[+-]?\d{16,}$/;
  if (!whole.test(a.trim()) || !whole.test(b.trim())) return 0;
  const [first, second] = [BigInt(a.trim()), BigInt(b.trim())];
  return first < second ? -1 : first > second ? 1 : 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
