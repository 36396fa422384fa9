import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { keptAnswers } from './kept-answers.ts';
import { defineObjective, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { meanOverTokens } from './token-classes.ts';

export interface SortedProbabilities {
  /** float32 [B, T, V] */
  logits: TypedValue;
  /** float32 [B, T, k]: the teacher's largest probabilities, from the largest on; no gradient flows to them. */
  kept: TypedValue;
}

/**
 * The sum of the differences between the sorted probabilities of teacher and student, for each token, float32 [B, T]: what it costs to
 * turn one distribution into the other where nothing is known of which token of one is which of the other.
 *
 * Boizard et al., "Towards Cross-Tokenizer Distillation: the Universal Logit Distillation Loss for LLMs" (2024, arXiv 2402.12030),
 * the closed form of the Wasserstein distance where all costs are equal: sum_i |p_sorted(i) - q_sorted(i)|. Of the teacher k probabilities are known; all
 * others together are compared as one number, so that the value is at most that of the whole sum, and the same for k = V. The paper
 * compares the n-th token of both texts, this the tokens that end at the same byte.
 */
export function sortedDistance(g: GraphBuilder, { logits, kept }: SortedProbabilities): TypedValue {
  const [k, vocabulary] = [kept.shape[2] as number, logits.shape[2] as number];
  const most = Math.min(k, vocabulary);
  const [values] = g.node('TopK', [g.softmax(logits), g.ints([most])], { axis: -1 }, { outputs: 2 });
  const largest = values as TypedValue;
  const own = most < k ? g.pad(largest, 2, 0, k - most) : largest;
  const over = (x: TypedValue) => g.reduceSum(x, { axes: [2], keepDims: false });
  const others = g.abs(g.sub(over(kept), over(own)));
  return g.add(over(g.abs(g.sub(kept, own))), others);
}

export const uld = defineObjective({
  kind: 'uld',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe(
      "Distance of the sorted probabilities of what comes next (Universal Logit Distillation, arXiv 2402.12030), for a student with other tokens than its teacher's; the mean over the places where tokens of both end. Needs outputs.NAME.keep: { sorted: 32 }.",
    ),
  answers: ({ output }, context) => [namesFor('uld', output, context).tap],
  term({ weight, output }, context) {
    const names = namesFor('uld', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { logits, kept, asked } = keptAnswers(g, inputs, names, context, 'sorted');
        const there = g.cast(g.greater(g.squeeze(g.slice(kept, 2, 0, 1), [2]), 0), 'float32');
        return meanOverTokens(g, sortedDistance(g, { logits, kept }), g.mul(asked, there));
      },
    };
  },
});
