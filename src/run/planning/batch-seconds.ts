import { secondsPerCall, timed } from './timing.ts';

/** A measurement that takes this long tells what a whole batch takes. */
const ENOUGH_SECONDS = 0.5;

/**
 * Wall seconds of a batch of `rows` samples, and whether a whole one was run. One sample is timed first, then as many as take a
 * moment: of a large teacher a whole batch takes half a minute, and its time is then that of the few multiplied, since products of some
 * hundred rows are as fast for each row as larger ones.
 *
 * @param call answers a batch of so many rows
 * @param between called before each call, to look whether to go on
 */
export async function secondsPerBatch(
  call: (rows: number) => Promise<unknown>,
  rows: number,
  between: () => void,
): Promise<{ readonly seconds: number; readonly isWhole: boolean }> {
  const secondsOf = async (some: number) => {
    between();
    return (await timed(() => call(some))).seconds;
  };
  // The first call allocates, and reads weights that were mapped: a slower one says little, a faster one is right.
  let [some, seconds] = [1, await secondsOf(1)];
  let asked = rowsWithin(seconds, some, rows);
  while (asked < rows) {
    const own = await secondsOf(asked);
    [some, seconds] = some === asked && seconds < own ? [some, seconds] : [asked, own];
    if (seconds > ENOUGH_SECONDS / 2) return { seconds: (seconds * rows) / some, isWhole: false };
    asked = Math.max(asked + 1, rowsWithin(seconds, some, rows));
  }
  return { seconds: await secondsPerCall(() => call(rows), between), isWhole: true };
}

/** How many rows take a moment, if `some` take so many seconds: one at least, all at most. */
export function rowsWithin(seconds: number, some: number, rows: number): number {
  const within = Math.floor((some * ENOUGH_SECONDS) / Math.max(seconds, 1e-9));
  return Math.max(1, Math.min(rows, within));
}
