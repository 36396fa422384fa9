/** What a rate is computed from: how much was done when, over the last seconds. Never changed in place. */
export interface RateMeter {
  /** Oldest first; times in seconds. */
  readonly points: readonly { readonly time: number; readonly done: number }[];
}

/** Long enough to smooth batches of different lengths, short enough to follow a machine that slows down. */
const WINDOW_SECONDS = 15;
/** Points nearer than this replace each other, so that a window has at most some 100 of them. */
const SPACING_SECONDS = 0.15;
/** Without news for longer, the time since counts as well: a stalled task must not keep its old rate. */
const STALL_SECONDS = 3;

export const EMPTY_METER: RateMeter = { points: [] };

/** The meter after `done` was reached at `time`. Work that a resumed task finds done is where it starts. */
export function observe(meter: RateMeter, done: number, time: number): RateMeter {
  const last = meter.points.at(-1);
  if (last && done < last.done) return { points: [{ time, done }] };
  const kept = meter.points.filter((point) => point.time >= time - WINDOW_SECONDS);
  // The newest point before the window keeps slow tasks (a step in 20 s) measurable.
  const points = kept.length > 0 ? kept : meter.points.slice(-1);
  const previous = points.at(-2);
  const crowded = previous !== undefined && time - previous.time < SPACING_SECONDS;
  return { points: [...(crowded ? points.slice(0, -1) : points), { time, done }] };
}

/** Units a second over the window; undefined until something was measured. */
export function rateOf(meter: RateMeter, now: number): number | undefined {
  const [first] = meter.points;
  const last = meter.points.at(-1);
  if (!first || !last || last.done === first.done) return undefined;
  const end = now - last.time > STALL_SECONDS ? now : last.time;
  return end > first.time ? (last.done - first.done) / (end - first.time) : undefined;
}

/** Seconds until `total` is reached at the present rate; undefined until there is one. */
export function secondsLeft(meter: RateMeter, total: number, now: number): number | undefined {
  const rate = rateOf(meter, now);
  const last = meter.points.at(-1);
  if (rate === undefined || !last) return undefined;
  const sinceLast = Math.min(now - last.time, STALL_SECONDS);
  return Math.max(0, (total - last.done) / rate - Math.max(0, sinceLast));
}
