import {
  createPairedCount,
  type Difference,
  type PairedCounts,
  pairedDifference,
} from '../metrics/interval.ts';

/**
 * Counts, sample by sample, which of several models are right: how one of them, `first`, differs from each of the others
 * is then known as finely as the samples allow, and what always giving the most frequent class would reach.
 *
 * @example
 * const answers = createTestAnswers('student');
 * answers.add(truth, new Map([['student', 3], ['teacher', 5]]));
 * answers.over('teacher'); // { difference, low, high }
 */
export function createTestAnswers(first: string) {
  const pairs = new Map<string, ReturnType<typeof createPairedCount>>();
  const supports = new Map<number, number>();
  let samples = 0;

  return {
    /** Counts one sample: its true class, and the class that each model gave it. */
    add(truth: number, answers: ReadonlyMap<string, number>): void {
      samples++;
      supports.set(truth, (supports.get(truth) ?? 0) + 1);
      for (const [name, answer] of answers) {
        if (name === first) continue;
        const pair = pairs.get(name) ?? createPairedCount();
        pairs.set(name, pair);
        pair.add(answers.get(first) === truth, answer === truth);
      }
    },
    /** `first`'s accuracy minus the named model's. */
    over: (name: string): Difference => pairedDifference(counts(name)),
    get samples(): number {
      return samples;
    },
    /** The share of the most frequent class; 0 without samples. */
    get chance(): number {
      return samples > 0 ? Math.max(...supports.values()) / samples : 0;
    },
  };

  function counts(name: string): PairedCounts {
    return pairs.get(name)?.counts() ?? { samples: 0, onlyFirst: 0, onlySecond: 0 };
  }
}
