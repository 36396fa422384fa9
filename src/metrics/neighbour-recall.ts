import { accuracyInterval } from './interval.ts';
import { type Metric, metric } from './metric.ts';
import { isInTop } from './top-k.ts';
import { dot, type VectorOptions, VectorPairs } from './vector-pairs.ts';

/**
 * For each query the chance that its own candidate is among the k most similar ones. Candidates of the same similarity
 * are in random order, so that answers which are all alike find theirs in k of n cases, not in all.
 *
 * `similarity(query, candidate)`; query i belongs to candidate i.
 */
export function recallByQuery(
  samples: number,
  k: number,
  similarity: (query: number, candidate: number) => number,
): Float64Array {
  const scores = new Float64Array(samples);
  return Float64Array.from({ length: samples }, (_, query) => {
    for (let candidate = 0; candidate < samples; candidate++)
      scores[candidate] = similarity(query, candidate);
    return isInTop(scores, query, k);
  });
}

export interface NeighbourRecallOptions extends VectorOptions {
  readonly k: number;
  /** `forward`: an answer looks for its vector in the column; `backward`: that vector looks for its answer. */
  readonly direction?: 'forward' | 'backward';
}

/**
 * Recall@k between the vectors that a model answers and those of a column (a caption's, a teacher's): how often a vector's
 * own one is among the k of the highest cosine. Of more than 2,048 samples, a sample of so many: recall falls with the
 * number of candidates, so compare it only over as many.
 */
export function neighbourRecall(options: NeighbourRecallOptions): Metric {
  const { k, direction = 'forward' } = options;
  const found = (pairs: VectorPairs) =>
    recallByQuery(pairs.length, k, (query, candidate) =>
      direction === 'forward'
        ? dot(pairs.answer(query), pairs.other(candidate))
        : dot(pairs.other(query), pairs.answer(candidate)),
    ).reduce((sum, value) => sum + value, 0);
  return metric<VectorPairs>({
    name: direction === 'forward' ? `recall@${k}` : `recallBack@${k}`,
    title: direction === 'forward' ? `recall@${k}` : `recall@${k} the other way`,
    better: 'higher',
    format: 'percent',
    start: () => new VectorPairs(options),
    add: (pairs, answers, batch) => pairs.add(answers, batch, options),
    value: (pairs) => found(pairs) / pairs.length,
    interval: (pairs) => accuracyInterval(found(pairs), pairs.length),
  });
}
