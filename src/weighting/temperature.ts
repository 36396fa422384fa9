import { type LearningRateSchedule, learningRate } from './learning-rate.ts';

/** Mean normalised entropies and the temperatures that belong to them; between two it is a line. */
const CHOICES = [
  { entropy: 0.05, temperature: 1 },
  { entropy: 0.15, temperature: 3 },
  { entropy: 0.5, temperature: 5 },
] as const;

/**
 * The temperature for a task by how uncertain its teacher is: 1 where it is certain (a mean normalised entropy of 0.05 at
 * most: a simple task), 3 to 5 where it is not (0.15 to 0.5 and above), a line between, to one decimal.
 *
 * @param entropy the mean over samples of H(p) / ln(classes), 0 to 1: `meanNormalizedEntropy`
 */
export function temperatureByEntropy(entropy: number): number {
  const after = CHOICES.findIndex((choice) => entropy < choice.entropy);
  if (after === 0) return CHOICES[0].temperature;
  const last = CHOICES[CHOICES.length - 1] as (typeof CHOICES)[number];
  const [from, to] = after < 0 ? [last, last] : [CHOICES[after - 1]!, CHOICES[after]!];
  if (from === to) return last.temperature;
  const part = (entropy - from.entropy) / (to.entropy - from.entropy);
  return Math.round(10 * (from.temperature + part * (to.temperature - from.temperature))) / 10;
}

/**
 * How uncertain answers are: the mean over rows of the entropy of softmax(logits), by that of equal chances; 0 to 1.
 *
 * @param logits [rows, classes]
 */
export function meanNormalizedEntropy(logits: ArrayLike<number>, classes: number): number {
  const rows = logits.length / classes;
  if (rows === 0 || classes < 2) return 0;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const own = Array.from({ length: classes }, (_, i) => logits[row * classes + i] as number);
    const largest = Math.max(...own);
    const powers = own.map((logit) => Math.exp(logit - largest));
    const total = powers.reduce((a, b) => a + b, 0);
    // H = ln(total) - sum(p (logit - largest)).
    const expected = powers.reduce((a, power, i) => a + (power / total) * ((own[i] as number) - largest), 0);
    sum += (Math.log(total) - expected) / Math.log(classes);
  }
  return sum / rows;
}

/**
 * A temperature that falls from `start` to 1 as the learning rate falls from its peak to 0; during the warm-up, and with
 * a constant rate, it stays.
 *
 * @param step the first is 0
 */
export function temperatureAt(start: number, schedule: LearningRateSchedule, step: number): number {
  const isRising = step < Math.round(schedule.warmup * schedule.totalSteps);
  const part = isRising ? 1 : learningRate(schedule, step) / schedule.peak;
  return 1 + (start - 1) * part;
}
