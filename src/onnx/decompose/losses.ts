import { intAttribute, stringAttribute, type TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { type CompositeCall, type Decomposition, inputOf } from './decomposition.ts';

/**
 * Minus the weighted log probability of each label: logarithms [N, C, ...], labels [N, ...]. Labels that are ignored
 * count nothing; a mean is over the weights that count (ONNX operator specification, NegativeLogLikelihoodLoss).
 */
function negativeLogLikelihood(call: CompositeCall, logarithms: TypedValue): TypedValue {
  const { g, node } = call;
  const given = inputOf(call, 1);
  const labels = g.cast(given, 'int64');
  const ignored = node.attributes.get('ignore_index')
    ? g.equal(labels, g.scalar(intAttribute(node, 'ignore_index', 0), 'int64'))
    : null;
  const safe = ignored ? g.where(ignored, g.scalar(0, 'int64'), labels) : labels;
  const picked = g.squeeze(g.gatherElements(logarithms, g.unsqueeze(safe, [1]), 1), [1]);
  const weights = weightsOf(g, call.inputs[2] ?? null, safe, ignored, picked);
  const losses = g.neg(weights ? g.mul(picked, weights) : picked);
  const reduction = stringAttribute(node, 'reduction', 'mean');
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return g.reduceSum(losses, { keepDims: false });
  if (!weights) return g.reduceMean(losses, { keepDims: false });
  return g.div(g.reduceSum(losses, { keepDims: false }), g.reduceSum(weights, { keepDims: false }));
}

/** How much each label counts; null where all count the same. */
function weightsOf(
  g: GraphBuilder,
  classWeights: TypedValue | null,
  labels: TypedValue,
  ignored: TypedValue | null,
  like: TypedValue,
): TypedValue | null {
  const own = classWeights && g.gather(classWeights, labels);
  if (!ignored) return own;
  const counts = g.cast(g.not(ignored), like.type);
  return own ? g.mul(own, counts) : counts;
}

const negativeLogLikelihoodLoss: Decomposition = (call) => [negativeLogLikelihood(call, inputOf(call, 0))];

const softmaxCrossEntropyLoss: Decomposition = (call) => {
  const logarithms = call.g.logSoftmax(inputOf(call, 0), 1);
  return [negativeLogLikelihood(call, logarithms), logarithms];
};

export const LOSSES: Record<string, Decomposition> = {
  NegativeLogLikelihoodLoss: negativeLogLikelihoodLoss,
  SoftmaxCrossEntropyLoss: softmaxCrossEntropyLoss,
};
