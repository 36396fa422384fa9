import { secondsPerCall, timed } from './timing.ts';

/** A small batch that takes this long is enough to tell what a whole one takes. */
const ENOUGH_SECONDS = 0.5;
/** The small batch, as a part of the whole one. */
const PART = 1 / 16;

/**
 * Wall seconds of a batch of `rows` samples, and whether a whole one was run. A few samples are timed first: of a large teacher a whole batch takes half a minute, and
 * its time is then that of the few multiplied, since products of some hundred rows are as fast for each row as larger ones.
 *
 * @param call answers a batch of so many rows
 * @param between called before each call, to look whether to go on
 */
export async function secondsPerBatch(
  call: (rows: number) => Promise<unknown>,
  rows: number,
  between: () => void,
): Promise<{ readonly seconds: number; readonly isWhole: boolean }> {
  const few = Math.max(1, Math.round(rows * PART));
  between();
  const probe = await timed(() => call(few));
  if (probe.seconds < ENOUGH_SECONDS)
    return { seconds: await secondsPerCall(() => call(rows), between), isWhole: true };
  // The first call allocates, and reads weights that were mapped.
  between();
  const again = await timed(() => call(few));
  return { seconds: (Math.min(probe.seconds, again.seconds) * rows) / few, isWhole: false };
}
