import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { sharedLoss } from './layer-pairs.ts';
import { defineObjective, ofWholeBatch, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { pooledPairs, pooledRequests, pooledSides } from './pooled-activations.ts';
import { contextOf } from './required-models.ts';

/** Added to squared lengths before they divide. */
const EPSILON = 1e-12;

export interface BatchInputs {
  /** float32 [B, widthS] */
  student: TypedValue;
  /** float32 [B, widthT]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B]: 1 for a sample, 0 for a row that only fills the batch. */
  rowWeights: TypedValue;
}

/**
 * How differently student and teacher see which samples are alike: |G_s - G_t|^2 / B^2 (Frobenius), where G = Q Q^T, each
 * row divided by its length; a scalar. Rows that only fill the batch are in no G, and B does not count them.
 *
 * Tung and Mori, "Similarity-Preserving Knowledge Distillation" (2019), equations 3 to 5.
 */
export function similarityLoss(g: GraphBuilder, { student, teacher, rowWeights }: BatchInputs): TypedValue {
  const column = g.unsqueeze(rowWeights, [1]);
  const normalized = (activations: TypedValue) => {
    const counted = g.mul(activations, column);
    const gram = g.matMul(counted, g.transpose(counted, [1, 0]));
    return g.div(gram, g.sqrt(g.add(g.reduceSumSquare(gram, { axes: [1] }), EPSILON)));
  };
  const difference = g.sub(normalized(student), normalized(teacher));
  const count = g.max(g.reduceSum(rowWeights, { keepDims: false }), 1);
  return g.div(g.reduceSumSquare(difference, { keepDims: false }), g.square(count));
}

export const similarity = defineObjective({
  kind: 'similarity',
  level: 'sequence',
  options: z
    .strictObject({ weight: termWeight(0), output: outputOption })
    .describe(
      'Squared distance of which samples of a batch layers find alike; no projection (Tung and Mori, 2019). It is small (at most 4 / batch size): weights of hundreds are usual.',
    ),
  relatesRows: true,
  knowledge: ({ output }, context) =>
    pooledRequests(pooledPairs(contextOf(context, 'similarity', output), 'similarity')),
  term({ weight, output }, context) {
    const pairs = pooledPairs(contextOf(context, 'similarity', output), 'similarity');
    const names = namesFor('similarity', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const rowWeights = rowWeightsIn(inputs, names);
        const loss = sharedLoss(g, pairs, (pair) => {
          const [student, teacher] = pooledSides(g, inputs, pair);
          return similarityLoss(g, { student, teacher, rowWeights });
        });
        return ofWholeBatch(g, loss, rowWeights);
      },
    };
  },
});
