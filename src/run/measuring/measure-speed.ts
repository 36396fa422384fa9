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

/** In so many turns a model is timed, between those of others: what else the machine does then is no one model's time. */
export const TURNS = 5;
/** Calls of a turn: more of a fast model say nothing new. */
const MOST_CALLS = 60;
/** Calls before those that are counted, where there is time for them. */
const UNCOUNTED = 5;

type TimedSession = Pick<Session, 'run' | 'loadsEachRun'>;

/** A model's calls of one size, as people call it: tokens given, padded to the longest text of the call. */
export class TimedCalls {
  readonly #session: TimedSession;
  readonly #feeds: SpeedInputs['one'];
  readonly #seconds: number;
  readonly #times: number[] = [];
  #spent = 0;

  /** @param seconds about how long its counted calls take in all; at least one a turn is made however slow it is, 0 wants a look */
  constructor(session: TimedSession, feeds: SpeedInputs['one'], seconds: number) {
    this.#session = session;
    this.#feeds = feeds;
    this.#seconds = seconds;
  }

  /** Whether one call is all: where a run loads the model, nothing is warmer the second time. */
  get #isLook(): boolean {
    return this.#seconds === 0 || this.#session.loadsEachRun === true;
  }

  /** Calls that are not counted. */
  async warm(): Promise<void> {
    if (this.#isLook) return;
    let seconds = 0;
    for (let i = 0; i < UNCOUNTED && seconds < this.#seconds; i++) seconds += await this.#call(i);
  }

  /** Times its share of the calls in one of `TURNS` turns, counted from 1. */
  async turn(number: number): Promise<void> {
    if (this.#isLook && number > 1) return;
    const until = this.#isLook ? 0 : (this.#seconds * number) / TURNS;
    for (let call = 0; call < MOST_CALLS && (call === 0 || this.#spent < until); call++) {
      const seconds = await this.#call(this.#times.length);
      this.#times.push(1000 * seconds);
      this.#spent += seconds;
    }
  }

  get medianMs(): number {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] as number;
  }

  /** The seconds that a call takes. Feeds are in the order of their lengths: of a slow model, too, calls are of all of them. */
  async #call(number: number): Promise<number> {
    const feeds = this.#feeds[spread(number, this.#feeds.length)] as SpeedInputs['one'][number];
    const start = performance.now();
    await this.#session.run(feeds);
    return (performance.now() - start) / 1000;
  }
}

/**
 * The place of the `number`th of some calls among `count` things, so that those of any first calls lie evenly over all of them:
 * in steps of the golden section, each thing once before any comes again.
 */
export function spread(number: number, count: number): number {
  let step = Math.max(1, Math.round(0.618 * count));
  while (commonDivisor(step, count) > 1) step++;
  return (number * step) % count;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
