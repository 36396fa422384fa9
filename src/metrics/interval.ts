/** A range that holds the true value in 95 of 100 repetitions of the measurement. Fractions, -1 to 1. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A difference of two accuracies, and the interval that it is known to. */
export interface Difference extends Interval {
  /** First minus second, as counted. */
  readonly difference: number;
}

/** Two models on the same samples: how often only one of them was right. */
export interface PairedCounts {
  readonly samples: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/** The quantile of the normal distribution that makes intervals of 95 %. */
export const Z = 1.959963984540054;

/**
 * The 95 % interval of an accuracy of `right` of `samples`, by Wilson's score: it stays inside 0 and 1, and holds for
 * small samples and for accuracies near either end, where the textbook's ± 1.96 standard errors does not.
 * All of 0 to 1 without samples.
 *
 * Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927);
 * Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion" (2001) recommend it.
 *
 * @example
 * accuracyInterval(90, 100); // { low: 0.826, high: 0.945 }
 */
export function accuracyInterval(right: number, samples: number): Interval {
  if (samples <= 0) return { low: 0, high: 1 };
  const share = right / samples;
  const z2 = Z * Z;
  const center = (share + z2 / (2 * samples)) / (1 + z2 / samples);
  const half =
    (Z / (1 + z2 / samples)) * Math.sqrt((share * (1 - share)) / samples + z2 / (4 * samples * samples));
  return {
    low: Math.max(0, Math.min(share, center - half)),
    high: Math.min(1, Math.max(share, center + half)),
  };
}

/**
 * First model's accuracy minus the second's, with its 95 % interval, from the samples that only one of them got right
 * (as McNemar's test). Samples that both answer alike say nothing about the difference, so two models that err on the
 * same samples are told apart with far fewer of them than by their two intervals. Adjusted Wald: one is added to each
 * count, so that no difference at all in a small sample is not taken for certainty.
 *
 * Bonett and Price, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired Data"
 * (2012).
 *
 * @example
 * pairedDifference({ samples: 100, onlyFirst: 12, onlySecond: 2 }); // { difference: 0.1, low: 0.024, high: 0.172 }
 */
export function pairedDifference({ samples, onlyFirst, onlySecond }: PairedCounts): Difference {
  if (samples <= 0) return { difference: 0, low: -1, high: 1 };
  const difference = (onlyFirst - onlySecond) / samples;
  const first = (onlyFirst + 1) / (samples + 2);
  const second = (onlySecond + 1) / (samples + 2);
  const half = Z * Math.sqrt((first + second - (first - second) ** 2) / (samples + 2));
  return around(difference, first - second - half, first - second + half);
}

/**
 * The same of two accuracies measured apart (or of which only the totals are known): wider than `pairedDifference` where
 * models err on the same samples.
 *
 * Newcombe, "Interval Estimation for the Difference between Independent Proportions" (1998), method 10.
 */
export function unpairedDifference(
  first: { readonly accuracy: number; readonly samples: number },
  second: { readonly accuracy: number; readonly samples: number },
): Difference {
  const [a, b] = [first, second].map(({ accuracy, samples }) =>
    accuracyInterval(accuracy * samples, samples),
  ) as [Interval, Interval];
  const difference = first.accuracy - second.accuracy;
  return around(
    difference,
    difference - Math.hypot(first.accuracy - a.low, b.high - second.accuracy),
    difference + Math.hypot(a.high - first.accuracy, second.accuracy - b.low),
  );
}

/** What a difference may be called: its sign when its interval leaves out 0, else `unclear`. */
export function direction({ low, high }: Interval): 'higher' | 'lower' | 'unclear' {
  if (low > 0) return 'higher';
  return high < 0 ? 'lower' : 'unclear';
}

/** Two fractions of counts may differ in their last bits and still be the same number of samples. */
const ROUNDING = 1e-9;

/** Whether a fraction exceeds a limit by more than rounding: 0.95 - 0.94 is not more than 0.01. */
export function exceeds(value: number, limit: number): boolean {
  return !(value - limit <= ROUNDING);
}

/**
 * What a measured drop says of an allowed one: `within` and `beyond` where its whole interval is on that side,
 * `unclear` where the samples are too few to tell. A gate shuts for `beyond` alone.
 */
export function dropVerdict({ low, high }: Interval, allowed: number): 'within' | 'beyond' | 'unclear' {
  if (exceeds(low, allowed)) return 'beyond';
  return exceeds(high, allowed) ? 'unclear' : 'within';
}

/** Counts two models' answers to the same samples. */
export function createPairedCount() {
  const counts = { samples: 0, onlyFirst: 0, onlySecond: 0 };
  return {
    add(firstIsRight: boolean, secondIsRight: boolean): void {
      counts.samples++;
      if (firstIsRight && !secondIsRight) counts.onlyFirst++;
      if (secondIsRight && !firstIsRight) counts.onlySecond++;
    },
    counts: (): PairedCounts => ({ ...counts }),
  };
}

function around(difference: number, low: number, high: number): Difference {
  return {
    difference,
    low: Math.max(-1, Math.min(low, difference)),
    high: Math.min(1, Math.max(high, difference)),
  };
}
