import type { Session } from '../../engine/engine.ts';
import type { Tensor } from '../../onnx/tensor.ts';

export interface Speed {
  /** Median wall time of one call in milliseconds: one text, and 32 texts. */
  readonly latencyMs: { readonly one: number; readonly thirtyTwo: number };
  /** Texts a second in calls of 32. */
  readonly throughput: number;
}

/** For how long a model is timed, for each of the two sizes, unless it is said otherwise. */
export const SPEED_SECONDS = 0.5;

/** A call's feeds; every call should bring other texts, so that no cache flatters the model. */
export interface SpeedInputs {
  readonly one: readonly Readonly<Record<string, Tensor>>[];
  readonly thirtyTwo: readonly Readonly<Record<string, Tensor>>[];
}

/**
 * Times a model as people call it: tokens given, padded to the longest text of the call. The median of all calls,
 * after a few that are not counted; `seconds` bounds the time for each of the two sizes.
 */
export async function measureSpeed(
  session: Session,
  inputs: SpeedInputs,
  seconds = SPEED_SECONDS,
): Promise<Speed> {
  const one = await medianMs(session, inputs.one, seconds);
  const thirtyTwo = await medianMs(session, inputs.thirtyTwo, seconds);
  return { latencyMs: { one, thirtyTwo }, throughput: 32_000 / thirtyTwo };
}

async function medianMs(
  session: Session,
  feeds: readonly Readonly<Record<string, Tensor>>[],
  seconds: number,
): Promise<number> {
  // Where a run loads the model, nothing is warmer the second time; who gives no time wants no more than a look.
  const [warm, fewest] = session.loadsEachRun || seconds === 0 ? [0, 1] : [5, 10];
  for (let i = 0; i < Math.min(warm, feeds.length); i++) await session.run(feeds[i]);
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let i = 0; performance.now() < end || times.length < fewest; i++) {
    const start = performance.now();
    await session.run(feeds[i % feeds.length]);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}
