import { weightedMean } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { StepWeighting, TermWeights } from '../weighting/weighting.ts';
import type { StepGraph } from './step-graph.ts';

/** How strongly each term of a step counts; undefined where the recipe's weights are all there is to say. */
export function weighTerms(step: StepGraph, weighting: StepWeighting | undefined): TermWeights | undefined {
  const { g, terms, inputs } = step;
  const weighed = terms.map(({ term, loss, rows }) => ({ ...term, loss, rows }));
  return weighting && g.scope('weighting', () => weighting.weigh(g, weighed, inputs));
}

/** The sum of the terms, each by its own weight and its factor; a factor for each row weighs its rows. */
export function totalLoss(g: GraphBuilder, { terms }: StepGraph, weights?: TermWeights): TypedValue {
  const weighted = terms.map(({ term, loss, rows }, i) => {
    const factor = weights?.factors[i];
    const value = !factor
      ? loss
      : rows && factor.shape.length === 1
        ? weightedMean(g, g.mul(rows.values, factor), rows.weights)
        : g.mul(loss, factor);
    return term.weight === 1 ? value : g.mul(value, term.weight);
  });
  if (weighted.length === 0) throw new Error('a training step needs at least one objective');
  const sum = weighted.reduce((sum, value) => g.add(sum, value));
  return weights?.penalty ? g.add(sum, weights.penalty) : sum;
}
