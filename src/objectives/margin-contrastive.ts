import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import {
  diagonal,
  identity,
  outputsOption,
  type PairedInputs,
  pairedName,
  pairedOutputs,
} from './paired-outputs.ts';

/** Which rows that do not belong together are pushed apart. */
export type Negatives = 'all' | 'hardest';

/**
 * max(0, margin - s(i, i) + s(i, j)) over the rows j that do not belong to i, and the same the other way round, s the
 * cosine: for each row the mean of both directions, each the mean over all negatives or the largest one.
 *
 * Kiros, Salakhutdinov and Zemel, "Unifying Visual-Semantic Embeddings with Multimodal Neural Language Models" (2014),
 * section 2.4, with means in the place of sums; the hardest negatives are those of Faghri, Fleet, Kiros and Fidler, "VSE++"
 * (2018), equation 6.
 */
export function marginContrastiveLoss(
  g: GraphBuilder,
  { first, second, rowWeights }: PairedInputs,
  { margin, negatives }: { readonly margin: number; readonly negatives: Negatives },
): RowLosses {
  const similarity = g.gemm(first, second, null, { transB: true });
  const own = g.unsqueeze(g.sub(margin, diagonal(g, similarity)), [1]);
  const counts = g.cast(g.greater(rowWeights, 0), 'float32');
  const isNegative = g.mul(g.sub(1, identity(g, similarity.shape[0] as number)), g.unsqueeze(counts, [0]));
  const others = g.max(g.sub(g.reduceSum(counts, { keepDims: false }), 1), 1);
  const directions = [similarity, g.transpose(similarity, [1, 0])].map((scores) => {
    const hinges = g.mul(g.relu(g.add(own, scores)), isNegative);
    if (negatives === 'hardest') return g.reduceMax(hinges, { axes: [1], keepDims: false });
    return g.div(g.reduceSum(hinges, { axes: [1], keepDims: false }), others);
  }) as [TypedValue, TypedValue];
  return { values: g.mul(g.add(...directions), 0.5), weights: rowWeights };
}

export const marginContrastive = defineObjective({
  kind: 'marginContrastive',
  level: 'task',
  relatesRows: true,
  options: z
    .strictObject({
      weight: termWeight(1),
      outputs: outputsOption,
      margin: z
        .number()
        .gt(0)
        .max(2)
        .default(0.2)
        .describe(
          'By how much the cosine of what belongs together is to be larger than that of what does not.',
        ),
      negatives: z
        .enum(['all', 'hardest'])
        .default('all')
        .describe('Whether all other rows of the batch are pushed away, or only the nearest one.'),
    })
    .describe(
      'Contrastive with a margin: what belongs together is to be nearer than anything else, by the margin, both ways (Kiros et al., 2014; Faghri et al., 2018).',
    ),
  term: ({ weight, outputs, margin, negatives }, context) => ({
    name: pairedName('marginContrastive', outputs),
    weight,
    build(g, inputs) {
      const pairs = pairedOutputs(g, inputs, 'marginContrastive', outputs, context);
      return marginContrastiveLoss(g, pairs, { margin, negatives });
    },
  }),
});
