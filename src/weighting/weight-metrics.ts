import { weightedMean } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { WeighedTerm } from './weighting.ts';

/** `weight/TERM` for the log: by what each term counts in the loss, the mean over its rows where each has its own. */
export function weightMetrics(
  g: GraphBuilder,
  terms: readonly WeighedTerm[],
  factors: readonly TypedValue[],
): Map<string, TypedValue> {
  return new Map(
    terms.map(({ name, weight, rows }, i) => {
      const factor = factors[i] as TypedValue;
      const mean = rows && factor.shape.length === 1 ? weightedMean(g, factor, rows.weights) : factor;
      return [`weight/${name}`, g.mul(mean, weight)];
    }),
  );
}
