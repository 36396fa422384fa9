import { z } from 'zod';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type CentreMaps, centreMaps, channelsOption, perMap } from './centre-maps.ts';
import { knownNumbers } from './known-numbers.ts';
import { defineObjective, type SummedLoss, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

/**
 * |prediction - label|, summed over the channels, at the places that have labels (the centres of things), by the number of
 * these places.
 *
 * Zhou, Wang and Kraehenbuehl, "Objects as Points" (2019), equation 3 (of sizes) and 2 (of offsets).
 */
export function centreSizesLoss(g: GraphBuilder, { maps, target, rowWeights }: CentreMaps): SummedLoss {
  const { numbers, known } = knownNumbers(g, target);
  const counts = g.mul(known, perMap(g, rowWeights));
  const channels = maps.shape[1] as number;
  const distances = g.abs(g.sub(maps, numbers));
  return {
    sum: g.reduceSum(g.mul(distances, counts), { keepDims: false }),
    count: g.mul(g.reduceSum(counts, { keepDims: false }), 1 / channels),
  };
}

export const centreSizes = defineObjective({
  kind: 'centreSizes',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption, channels: channelsOption })
    .describe(
      'Distance of sizes (or offsets) at the centres of things, where labels are no NaN (CenterNet, Zhou et al., 2019, who weigh sizes in pixels by 0.1).',
    ),
  term({ weight, output, channels }, context) {
    const names = namesFor('centreSizes', output, context);
    return {
      name: names.term,
      weight,
      build: (g, inputs) => centreSizesLoss(g, centreMaps(g, inputs, names, channels)),
    };
  },
});
