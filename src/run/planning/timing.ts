/** How long something takes: its value, and the wall seconds. */
export async function timed<T>(
  action: () => T | Promise<T>,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const started = performance.now();
  const value = await action();
  return { value, seconds: (performance.now() - started) / 1000 };
}

const MOST_CALLS = 8;
const ENOUGH_SECONDS = 0.2;

/**
 * Wall seconds of one call: the median of as many as fit in a moment, after one that is not counted (it allocates,
 * and fills caches), unless it took so long that this is lost in it. `between` is called before each, to look whether
 * to go on.
 */
export async function secondsPerCall(call: () => Promise<unknown>, between: () => void): Promise<number> {
  between();
  const first = await timed(call);
  if (first.seconds > 2 * ENOUGH_SECONDS) return first.seconds;
  const times: number[] = [];
  let sum = 0;
  while (sum < ENOUGH_SECONDS && times.length < MOST_CALLS) {
    between();
    const { seconds } = await timed(call);
    times.push(seconds);
    sum += seconds;
  }
  return median(times);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
