import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { sharedLoss } from './layer-pairs.ts';
import { defineObjective, ofWholeBatch, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { pooledPairs, pooledRequests, pooledSides } from './pooled-activations.ts';
import { contextOf } from './required-models.ts';
import type { BatchInputs } from './similarity.ts';

/** Added to squared lengths before they divide. */
const EPSILON = 1e-12;

/**
 * 1 - linear CKA of student and teacher over the batch: 1 - <K, L> / (|K| |L|) for the Gram matrices K and L of the
 * centred activations; a scalar in [0, 1], 0 for fewer than two samples. It does not change where one side is turned or
 * scaled, so no projection is needed. Rows that only fill the batch do not count.
 *
 * Kornblith, Norouzi, Lee and Hinton, "Similarity of Neural Network Representations Revisited" (2019), equations 3 and 4
 * with a linear kernel.
 */
export function ckaLoss(g: GraphBuilder, { student, teacher, rowWeights }: BatchInputs): TypedValue {
  const column = g.unsqueeze(rowWeights, [1]);
  const count = g.reduceSum(rowWeights, { keepDims: false });
  const gram = (activations: TypedValue) => {
    const sum = g.matMul(g.unsqueeze(rowWeights, [0]), activations);
    const centred = g.mul(g.sub(activations, g.div(sum, g.max(count, 1))), column);
    return g.matMul(centred, g.transpose(centred, [1, 0]));
  };
  const [own, other] = [gram(student), gram(teacher)];
  const length = (matrix: TypedValue) =>
    g.sqrt(g.add(g.reduceSumSquare(matrix, { keepDims: false }), EPSILON));
  const product = g.reduceSum(g.mul(own, other), { keepDims: false });
  const alignment = g.div(product, g.mul(length(own), length(other)));
  return g.mul(g.sub(1, alignment), g.clip(g.sub(count, 1), 0, 1));
}

export const cka = defineObjective({
  kind: 'cka',
  level: 'sequence',
  options: z
    .strictObject({ weight: termWeight(0), output: outputOption })
    .describe(
      '1 - centred kernel alignment of the activations of a batch; no projection (Kornblith et al., 2019).',
    ),
  relatesRows: true,
  knowledge: ({ output }, context) => pooledRequests(pooledPairs(contextOf(context, 'cka', output), 'cka')),
  term({ weight, output }, context) {
    const pairs = pooledPairs(contextOf(context, 'cka', output), 'cka');
    const names = namesFor('cka', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const rowWeights = rowWeightsIn(inputs, names);
        const loss = sharedLoss(g, pairs, (pair) => {
          const [student, teacher] = pooledSides(g, inputs, pair);
          return ckaLoss(g, { student, teacher, rowWeights });
        });
        return ofWholeBatch(g, loss, rowWeights);
      },
    };
  },
});
