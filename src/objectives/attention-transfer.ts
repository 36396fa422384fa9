import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type FeatureMap, sharedLoss, stagePairs } from './layer-pairs.ts';
import { defineObjective, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { formatSize, type PictureSize, pooledPlaces, smallerSize } from './places.ts';
import { contextOf } from './required-models.ts';

/** Added to squared lengths before they divide. */
const EPSILON = 1e-12;

/**
 * Where a layer looks: the sum over channels of the squares of its maps [B, channels, H, W], pooled to `size`, as a
 * vector of length 1: float32 [B, places].
 */
export function spatialAttention(
  g: GraphBuilder,
  maps: TypedValue,
  from: PictureSize,
  size: PictureSize,
): TypedValue {
  const energy = g.reduceSumSquare(maps, { axes: [1] });
  const places = g.squeeze(pooledPlaces(g, energy, from, size), [2]);
  const square = g.reduceSumSquare(places, { axes: [1] });
  return g.div(places, g.sqrt(g.add(square, EPSILON)));
}

/**
 * The squared distance of normalised spatial attention maps, |Q_s / |Q_s| - Q_t / |Q_t||^2 with Q = sum of f^2 over
 * channels, at the end of every stage.
 *
 * Zagoruyko and Komodakis, "Paying More Attention to Attention: Improving the Performance of Convolutional Neural
 * Networks via Attention Transfer" (2017), equation 2, with the square of the norm, which has a slope at 0.
 */
export const attentionTransfer = defineObjective({
  kind: 'attentionTransfer',
  level: 'sequence',
  options: z
    .strictObject({ weight: termWeight(0), output: outputOption })
    .describe(
      'Squared distance of where stages look, summed over channels (Zagoruyko and Komodakis, 2017, eq. 2).',
    ),
  knowledge: ({ output }, context) =>
    stagePairs(contextOf(context, 'attentionTransfer', output), 'attentionTransfer').map(
      ({ student, teacher: map }) => ({
        tap: tapOf(student, map),
        build: (g, teacher) => spatialAttention(g, teacher.value(map.name), map, smallerSize(student, map)),
      }),
    ),
  term({ weight, output }, context) {
    const pairs = stagePairs(contextOf(context, 'attentionTransfer', output), 'attentionTransfer');
    const names = namesFor('attentionTransfer', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const values = sharedLoss(g, pairs, ({ student, teacher }) => {
          const size = smallerSize(student, teacher);
          const own = spatialAttention(g, inputs.student(student.name), student, size);
          const other = inputs.knowledge(tapOf(student, teacher), [size.height * size.width]);
          return g.reduceSumSquare(g.sub(own, other), { axes: [1], keepDims: false });
        });
        return { values, weights: rowWeightsIn(inputs, names) };
      },
    };
  },
});

function tapOf(student: FeatureMap, teacher: FeatureMap): string {
  return `attention-transfer/${formatSize(smallerSize(student, teacher))}/${teacher.name}`;
}
