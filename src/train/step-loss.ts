import { overCount, summed } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { StepWeighting, TermWeights } from '../weighting/weighting.ts';
import type { BuiltTerm, StepGraph } from './step-graph.ts';

/** What a part of a batch has to know of the whole, so that what the parts give adds up to what the whole would give. */
export interface BatchPart {
  /** By what each term's sum is divided, over the whole batch, by its name: float32 []. */
  readonly counts: ReadonlyMap<string, TypedValue>;
  /** The part of the whole that it is, float32 []: by that losses count that have no count of their own. */
  readonly share: TypedValue;
}

/** How strongly each term of a step counts; undefined where the recipe's weights are all there is to say. */
export function weighTerms(step: StepGraph, weighting: StepWeighting | undefined): TermWeights | undefined {
  const { g, terms, inputs } = step;
  const weighed = terms.map(({ term, loss, rows }) => ({ ...term, loss, rows }));
  return weighting && g.scope('weighting', () => weighting.weigh(g, weighed, inputs));
}

/** The sum of the terms, each by its own weight and its factor; a factor for each row weighs its rows. */
export function totalLoss(
  g: GraphBuilder,
  { terms }: StepGraph,
  weights?: TermWeights,
  part?: BatchPart,
): TypedValue {
  const weighted = terms.map((built, i) => {
    const { term } = built;
    const value = factoredLoss(g, built, weights?.factors[i], part);
    return term.weight === 1 ? value : g.mul(value, term.weight);
  });
  if (weighted.length === 0) throw new Error('a training step needs at least one objective');
  const sum = weighted.reduce((sum, value) => g.add(sum, value));
  const penalty = weights?.penalty;
  return penalty ? g.add(sum, part ? g.mul(penalty, part.share) : penalty) : sum;
}

/** A term's loss, float32 []: of a whole batch, or what a part of one adds to it. */
export function termLoss(
  g: GraphBuilder,
  { term, loss, summed: own }: BuiltTerm,
  part?: BatchPart,
): TypedValue {
  if (!part) return loss;
  if (!own) return g.mul(loss, part.share);
  return overCount(g, { sum: own.sum, count: countOf(part, term.name) });
}

function factoredLoss(
  g: GraphBuilder,
  built: BuiltTerm,
  factor: TypedValue | undefined,
  part: BatchPart | undefined,
): TypedValue {
  if (!factor) return termLoss(g, built, part);
  const { term, rows } = built;
  if (!rows || factor.shape.length !== 1) return g.mul(termLoss(g, built, part), factor);
  const own = summed(g, { values: g.mul(rows.values, factor), weights: rows.weights });
  return overCount(g, part ? { sum: own.sum, count: countOf(part, term.name) } : own);
}

function countOf({ counts }: BatchPart, term: string): TypedValue {
  const count = counts.get(term);
  if (!count) throw new Error(`the term ${term} has no count of the whole batch`);
  return count;
}
