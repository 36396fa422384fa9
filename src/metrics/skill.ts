import type { AnswerCounts } from './class-order.ts';

/** How a classifier's answers compare with answers that know nothing of the samples. */
export interface Skill {
  readonly samples: number;
  readonly accuracy: number;
  /**
   * The accuracy that the same answers would have if they were dealt to the samples at random: for balanced classes one
   * over their number, for a classifier that always gives one class the share of that class.
   */
  readonly chance: number;
  /** `chance`: no better than that, as far as so many samples tell; `unclear`: too few to tell. */
  readonly verdict: 'better' | 'unclear' | 'chance';
}

/** One-sided quantiles of the normal distribution: 5 % and 1 %. */
const Z_BETTER = 1.645;
const Z_USEFUL = 2.326;
/** Cohen's kappa of a teacher that is of use: it must hardly ever be taken for one that is not. */
const USEFUL_KAPPA = 0.3;
/** Fewer samples tell nothing; nor do fewer of other classes, of a classifier that always gives the same one. */
const FEWEST = 5;
const FEWEST_OTHERS = 10;

/**
 * Tells a classifier that knows something from one that does not, with classes of any sizes: right answers are compared
 * with those of the same answers in random order (mean and variance with both margins fixed, as in Cohen's kappa). A
 * classifier with a kappa of 0.3 or more is judged to be no better than chance once in a hundred times at most, however
 * few the samples are.
 *
 * Cohen, "A Coefficient of Agreement for Nominal Scales" (1960).
 */
export function skillOf({ classes, counts }: AnswerCounts): Skill {
  const truths = new Array<number>(classes).fill(0);
  const answers = new Array<number>(classes).fill(0);
  let [samples, right] = [0, 0];
  for (let truth = 0; truth < classes; truth++) {
    for (let answer = 0; answer < classes; answer++) {
      const count = counts[truth * classes + answer] as number;
      (truths[truth] as number) += count;
      (answers[answer] as number) += count;
      samples += count;
      if (truth === answer) right += count;
    }
  }
  if (samples === 0) return { samples, accuracy: 0, chance: 0, verdict: 'unclear' };
  const products = truths.map((count, k) => count * (answers[k] as number));
  const sum = products.reduce((total, product) => total + product, 0);
  const result = { samples, accuracy: right / samples, chance: sum / samples ** 2 };
  if (samples < FEWEST || truths.filter((count) => count > 0).length < 2)
    return { ...result, verdict: 'unclear' };
  const always = answers.indexOf(samples);
  if (always >= 0) {
    const others = samples - (truths[always] as number);
    return { ...result, verdict: others >= FEWEST_OTHERS ? 'chance' : 'unclear' };
  }
  let variance = sum ** 2;
  products.forEach((product, k) => {
    variance += product * ((samples - (truths[k] as number)) * (samples - (answers[k] as number)) - product);
  });
  const deviation = Math.sqrt(variance / (samples ** 2 * (samples - 1)));
  const expected = sum / samples;
  if (deviation === 0) return { ...result, verdict: right > 0 ? 'unclear' : 'chance' };
  const z = (right - expected) / deviation;
  if (z > Z_BETTER) return { ...result, verdict: 'better' };
  const useful = (USEFUL_KAPPA * (samples - expected)) / deviation;
  return { ...result, verdict: z < useful - Z_USEFUL ? 'chance' : 'unclear' };
}
