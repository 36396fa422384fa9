import { randomStream } from '../random.ts';
import { spearman } from './correlation.ts';
import { type Metric, metric } from './metric.ts';
import { dot, type VectorOptions, VectorPairs } from './vector-pairs.ts';

/** Pairs of samples that are compared. */
const PAIRS = 20_000;

/**
 * Spearman's correlation between the cosines of pairs of answers and those of the same pairs of a column's vectors: how
 * far the answers say of which samples are alike what the other vectors say. The two sides may differ in width.
 */
export function similaritySpearman(options: VectorOptions): Metric {
  return metric<VectorPairs>({
    name: 'similarity',
    title: 'Spearman of similarities',
    better: 'higher',
    format: 'number',
    start: () => new VectorPairs(options),
    add: (pairs, answers, batch) => pairs.add(answers, batch, options),
    value(pairs) {
      const [own, other]: [number[], number[]] = [[], []];
      for (const [a, b] of drawPairs(pairs.length)) {
        own.push(dot(pairs.answer(a), pairs.answer(b)));
        other.push(dot(pairs.other(a), pairs.other(b)));
      }
      return spearman(own, other);
    },
  });
}

/** All pairs of two different samples, or a draw of them. */
function* drawPairs(samples: number): Generator<readonly [number, number]> {
  if ((samples * (samples - 1)) / 2 <= PAIRS) {
    for (let a = 0; a < samples; a++) for (let b = 0; b < a; b++) yield [a, b];
    return;
  }
  const random = randomStream(0, 'pairs of samples');
  for (let drawn = 0; drawn < PAIRS; drawn++) {
    const a = random.integer(samples);
    yield [a, (a + 1 + random.integer(samples - 1)) % samples];
  }
}
