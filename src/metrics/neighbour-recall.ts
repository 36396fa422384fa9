import { accuracyInterval } from './interval.ts';
import { type Metric, metric } from './metric.ts';
import { isInTop } from './top-k.ts';
import { type VectorOptions, VectorPairs } from './vector-pairs.ts';

/** Queries whose products with a candidate are summed side by side: three times as fast as one after another. */
const ABREAST = 4;

/**
 * For each query the chance that its own candidate is among the k of the highest products (cosines, of vectors of length 1).
 * Candidates of the same product are in random order, so that answers which are all alike find theirs in k of n cases, not
 * in all. Query i belongs to candidate i.
 */
export function recallByQuery(
  queries: readonly Float64Array[],
  candidates: readonly Float64Array[],
  k: number,
): Float64Array {
  const samples = queries.length;
  const chances = new Float64Array(samples);
  const scores = Array.from({ length: ABREAST }, () => new Float64Array(samples));
  for (let from = 0; from < samples; from += ABREAST) {
    const count = Math.min(ABREAST, samples - from);
    // The last ones stand in for those that are missing.
    const abreast = scores.map((_, i) => queries[Math.min(from + i, samples - 1)] as Float64Array);
    products(abreast, candidates, scores);
    for (let i = 0; i < count; i++) chances[from + i] = isInTop(scores[i] as Float64Array, from + i, k);
  }
  return chances;
}

/** The products of four vectors with each candidate. */
function products(
  vectors: readonly Float64Array[],
  candidates: readonly Float64Array[],
  into: readonly Float64Array[],
): void {
  const [a, b, c, d] = vectors as [Float64Array, Float64Array, Float64Array, Float64Array];
  const [ofA, ofB, ofC, ofD] = into as [Float64Array, Float64Array, Float64Array, Float64Array];
  for (let place = 0; place < candidates.length; place++) {
    const candidate = candidates[place]!;
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (let i = 0; i < candidate.length; i++) {
      const value = candidate[i]!;
      sumA += a[i]! * value;
      sumB += b[i]! * value;
      sumC += c[i]! * value;
      sumD += d[i]! * value;
    }
    ofA[place] = sumA;
    ofB[place] = sumB;
    ofC[place] = sumC;
    ofD[place] = sumD;
  }
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
  const found = (pairs: VectorPairs) => {
    const rows = Array.from({ length: pairs.length }, (_, row) => row);
    const answers = rows.map((row) => pairs.answer(row));
    const others = rows.map((row) => pairs.other(row));
    const [queries, candidates] = direction === 'forward' ? [answers, others] : [others, answers];
    return recallByQuery(queries, candidates, k).reduce((sum, value) => sum + value, 0);
  };
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
