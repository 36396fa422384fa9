import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type ObjectiveTerm, type SummedLoss, summed } from './objective.ts';

export interface NextTokenInputs {
  /** float32 [B, T, V]: at each token, what is said of the next one. */
  logits: TypedValue;
  /** int64 [B, T] */
  ids: TypedValue;
  /** int64 [B, T]: 1 for tokens, 0 for padding on the right. */
  attentionMask: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
}

/**
 * Cross-entropy of each token given those before it, in nats: the sum over all tokens that have one before them, and how
 * many these are. The ids move one place to the left, so that the logits, which are large, need no copy.
 */
export function nextTokenCrossEntropy(
  g: GraphBuilder,
  { logits, ids, attentionMask, rowWeights }: NextTokenInputs,
): SummedLoss {
  const next = (x: TypedValue) => g.pad(g.slice(x, 1, 1, 2 ** 31 - 1), 1, 0, 1);
  const perToken = g.neg(
    g.squeeze(g.gatherElements(g.logSoftmax(logits), g.unsqueeze(next(ids), [2]), 2), [2]),
  );
  const counts = g.mul(g.cast(next(attentionMask), 'float32'), g.unsqueeze(rowWeights, [1]));
  return summed(g, { values: perToken, weights: counts });
}

/** A decoder's `logits` towards its own `input_ids`. */
export function nextTokenTerm(options: { weight: number }): ObjectiveTerm {
  return {
    name: 'next_token',
    weight: options.weight,
    build: (g, inputs) =>
      nextTokenCrossEntropy(g, {
        logits: inputs.student('logits'),
        ids: inputs.student('input_ids'),
        attentionMask: inputs.student('attention_mask'),
        rowWeights: inputs.rowWeights(),
      }),
  };
}
