/** Temperatures are sought between these. */
const RANGE = [0.05, 20] as const;
/** Of the logarithm of the temperature. */
const PRECISION = 1e-3;

/** A classifier's answers to labelled samples. */
export interface LabelledAnswers {
  /** Logits, or their log-softmax, row-major [samples, classes]. */
  readonly logits: Float32Array;
  /** The true class of each sample. */
  readonly labels: readonly number[];
}

/**
 * The temperature by which a classifier's logits are to be divided so that what is true is likeliest (Guo et al., "On Calibration of
 * Modern Neural Networks", 2017): above 1 for one that is too sure of itself. The cross-entropy has one minimum over it, which
 * golden sections close in on. 1 without samples.
 */
export function fitTemperature({ logits, labels }: LabelledAnswers): number {
  if (labels.length === 0) return 1;
  const loss = (log: number) => crossEntropy({ logits, labels }, Math.exp(log));
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = RANGE.map(Math.log) as [number, number];
  let [left, right] = [high - golden * (high - low), low + golden * (high - low)];
  let [atLeft, atRight] = [loss(left), loss(right)];
  while (high - low > PRECISION) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - golden * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + golden * (high - low);
      atRight = loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** The mean of minus the logarithm of what each true class is given. */
function crossEntropy({ logits, labels }: LabelledAnswers, temperature: number): number {
  const classes = logits.length / labels.length;
  let sum = 0;
  for (const [row, label] of labels.entries())
    sum -= logChance(logits.subarray(row * classes, (row + 1) * classes), label, temperature);
  return sum / labels.length;
}

/** The logarithm of the probability of a class. */
export function logChance(logits: Float32Array, label: number, temperature: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logits) most = Math.max(most, value);
  let total = 0;
  for (const value of logits) total += Math.exp((value - most) / temperature);
  return ((logits[label] as number) - most) / temperature - Math.log(total);
}
