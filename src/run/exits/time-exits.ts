import type { Session } from '../../engine/engine.ts';
import type { Tensor } from '../../onnx/tensor.ts';

/** Calls that are timed at most, and at least. */
export const MOST_CALLS = 200;
const LEAST_CALLS = 20;
const WARMING = 5;
/** Of each call the median of so many counts: what else the machine does then moves no mean. */
export const ROUNDS = 3;

/** How many calls are timed of each model, where one takes `perCall` seconds, in about so many seconds. */
export function callsWithin(perCall: number, seconds: number, most = MOST_CALLS): number {
  const affordable = Math.floor(seconds / Math.max(1e-6, ROUNDS * perCall));
  return Math.min(most, Math.max(LEAST_CALLS, affordable));
}

/**
 * The mean wall time of a call in milliseconds, for each of some models, over the same calls; the models take turns at each of them.
 *
 * @param seconds about how long it takes for each model
 */
export async function meanLatencies(
  sessions: readonly Session[],
  calls: readonly Readonly<Record<string, Tensor>>[],
  seconds: number,
): Promise<{ readonly means: readonly number[]; readonly calls: number }> {
  let warming = 0;
  for (const session of sessions) {
    for (const feeds of calls.slice(0, WARMING)) await session.run(feeds);
    warming += (await timeOf(session, calls[0] as (typeof calls)[number])) / sessions.length;
  }
  const count = callsWithin(warming / 1000, seconds, calls.length);
  // Evenly over all of them, for they are in the order of their lengths.
  const chosen = Array.from(
    { length: count },
    (_, i) => calls[Math.floor((i * calls.length) / count)] as (typeof calls)[number],
  );
  const sums = sessions.map(() => 0);
  for (const feeds of chosen) {
    const times = sessions.map(() => [] as number[]);
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, session] of sessions.entries()) times[i]?.push(await timeOf(session, feeds));
    times.forEach((own, i) => {
      sums[i] = (sums[i] as number) + (own.sort((a, b) => a - b)[ROUNDS >> 1] as number);
    });
  }
  return { means: sums.map((sum) => sum / Math.max(1, count)), calls: count };
}

async function timeOf(session: Session, feeds: Readonly<Record<string, Tensor>>): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}
