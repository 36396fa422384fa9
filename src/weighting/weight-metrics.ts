import { weightedMean } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { WeighedTerm } from './weighting.ts';

/** `weight/TERM` for the log: by what each term counts in the loss, the mean over the batch where each row has its own. */
export function weightMetrics(
  g: GraphBuilder,
  terms: readonly WeighedTerm[],
  factors: readonly TypedValue[],
  rowWeights: TypedValue,
): Map<string, TypedValue> {
  return new Map(
    terms.map(({ name, weight }, i) => {
      const factor = factors[i] as TypedValue;
      const mean = factor.shape.length === 1 ? weightedMean(g, factor, rowWeights) : factor;
      return [`weight/${name}`, g.mul(mean, weight)];
    }),
  );
}
