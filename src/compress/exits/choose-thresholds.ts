import type { Thresholds } from './with-conditions.ts';

/** What a network with exits said of labelled samples. */
export interface ExitSamples {
  /** By exit, then by sample: how sure it is, 0 to 1. Of the exits alone, without the end. */
  readonly confidence: readonly Float32Array[];
  /** By exit, and last for the end; then by sample: 1 where the answer is right. */
  readonly right: readonly Uint8Array[];
  /** By exit, and last for the end: what leaving there costs, in products, from the beginning. */
  readonly costs: readonly number[];
}

/** What leaving by some thresholds comes to. */
export interface ExitPolicy {
  readonly thresholds: Thresholds;
  /** Right answers / samples, 0 to 1. */
  readonly accuracy: number;
  /** Products of a sample on average, as a part of those of the whole network. */
  readonly cost: number;
  /** By exit, and last for the end: which part of the samples leaves there. */
  readonly shares: readonly number[];
}

/** Thresholds that are tried at each exit: they let another 1 / 64 of the samples leave. */
const CANDIDATES = 64;
/** Prices of an error, from one at which speed is all to one at which it is nothing; in costs of the whole network. */
const PRICES = Array.from({ length: 33 }, (_, i) => 0.25 * 2 ** (i / 2));
/** Exits are chosen in turn until none moves, or so often. */
const MOST_TURNS = 8;

/**
 * Thresholds from the fastest to the slowest, each the best for one price of an error: cost + price * errors is least, exit by
 * exit in turn. The last policy lets none leave.
 */
export function exitPolicies(samples: ExitSamples): ExitPolicy[] {
  const candidates = samples.confidence.map(quantiles);
  const never = samples.confidence.map(() => null);
  const found: ExitPolicy[] = [];
  let thresholds: (number | null)[] = samples.confidence.map(() => 0);
  for (const price of PRICES) {
    thresholds = bestFor(samples, candidates, price, thresholds);
    const policy = leavingBy(samples, thresholds);
    if (!found.some((one) => one.thresholds.join() === policy.thresholds.join())) found.push(policy);
  }
  const last = leavingBy(samples, never);
  return [...found.filter(({ cost }) => cost < last.cost), last].sort((a, b) => a.cost - b.cost);
}

/** The cheapest of some policies that costs no more accuracy than allowed, against the one that lets none leave. */
export function chosenPolicy(policies: readonly ExitPolicy[], maxDrop: number): ExitPolicy {
  const last = policies.at(-1) as ExitPolicy;
  // A sample more or less than the bound by the last bits of a quotient is none.
  const least = last.accuracy - maxDrop - 1e-9;
  return policies.find(({ accuracy }) => accuracy >= least) ?? last;
}

/** What leaving by some thresholds comes to on some samples. */
export function leavingBy(samples: ExitSamples, thresholds: Thresholds): ExitPolicy {
  const { right, costs } = samples;
  const counts = costs.map(() => 0);
  let [correct, sum] = [0, 0];
  const size = right[0]?.length ?? 0;
  for (let sample = 0; sample < size; sample++) {
    const exit = exitTaken(samples, thresholds, sample);
    counts[exit] = (counts[exit] as number) + 1;
    correct += right[exit]?.[sample] as number;
    sum += costs[exit] as number;
  }
  const whole = Math.max(1, size) * (costs.at(-1) as number);
  return {
    thresholds,
    accuracy: correct / Math.max(1, size),
    cost: sum / whole,
    shares: counts.map((count) => count / Math.max(1, size)),
  };
}

/** The place of the exit by which a sample leaves; that of the end is the number of exits. */
export function exitTaken(
  { confidence }: Pick<ExitSamples, 'confidence'>,
  thresholds: Thresholds,
  sample: number,
): number {
  const exit = confidence.findIndex((own, i) => {
    const least = thresholds[i];
    return typeof least === 'number' && (own[sample] as number) >= least;
  });
  return exit < 0 ? confidence.length : exit;
}

function bestFor(
  samples: ExitSamples,
  candidates: readonly (readonly (number | null)[])[],
  price: number,
  from: readonly (number | null)[],
): (number | null)[] {
  const lossOf = (thresholds: Thresholds) => {
    const { cost, accuracy } = leavingBy(samples, thresholds);
    return cost + price * (1 - accuracy);
  };
  let best = [...from];
  let least = lossOf(best);
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const before = least;
    for (const [exit, own] of candidates.entries()) {
      for (const candidate of own) {
        const changed = best.map((threshold, i) => (i === exit ? candidate : threshold));
        const loss = lossOf(changed);
        if (loss < least) [best, least] = [changed, loss];
      }
    }
    if (least === before) break;
  }
  return best;
}

/**
 * Thresholds that let more and more samples leave, and none. Each lies between two confidences that are there: one that is
 * computed a little otherwise, in another batch, then decides nothing else.
 */
function quantiles(confidence: Float32Array): (number | null)[] {
  const sorted = Float32Array.from(confidence).sort();
  const found = new Set<number | null>([null, 0]);
  for (let i = 1; i < CANDIDATES; i++) {
    const place = Math.round((i * sorted.length) / CANDIDATES);
    const [below, above] = [sorted[place - 1], sorted[place]];
    if (below !== undefined && above !== undefined && below < above)
      found.add(Math.fround((below + above) / 2));
  }
  return [...found];
}
