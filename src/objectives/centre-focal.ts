import { z } from 'zod';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { softplus } from './binary-cross-entropy.ts';
import { type CentreMaps, centreMaps, channelsOption, perMap } from './centre-maps.ts';
import { knownNumbers } from './known-numbers.ts';
import { defineObjective, type SummedLoss, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

/** From here on a place of a heat map is a centre: Gaussians are 1 there, and only there. */
const CENTRE = 0.9999;

/**
 * The focal loss of heat maps whose logits are x (p = sigmoid(x)) and whose labels y are 1 at the centres of things and
 * fall off around them as a Gaussian does: (1 - p)^alpha log p at centres, (1 - y)^beta p^alpha log(1 - p) elsewhere, in
 * nats, the sum over all places, by the number of centres.
 *
 * Zhou, Wang and Kraehenbuehl, "Objects as Points" (2019), equation 1 (CenterNet), after Law and Deng, "CornerNet" (2018)
 * and Lin et al., "Focal Loss for Dense Object Detection" (2017).
 */
export function centreFocalLoss(
  g: GraphBuilder,
  { maps, target, rowWeights }: CentreMaps,
  { alpha, beta }: { readonly alpha: number; readonly beta: number },
): SummedLoss {
  const { numbers, known } = knownNumbers(g, target);
  const counts = g.mul(known, perMap(g, rowWeights));
  const isCentre = g.cast(g.greaterOrEqual(numbers, CENTRE), 'float32');
  // -log p and -log(1 - p); powers of p and 1 - p are made from them, whose slopes are finite everywhere.
  const [missed, raised] = [softplus(g, g.neg(maps)), softplus(g, maps)];
  const atCentres = g.mul(g.exp(g.mul(raised, -alpha)), missed);
  const around = g.mul(g.pow(g.max(g.sub(1, numbers), 0), beta), g.mul(g.exp(g.mul(missed, -alpha)), raised));
  const losses = g.where(g.greater(isCentre, 0), atCentres, around);
  return {
    sum: g.reduceSum(g.mul(losses, counts), { keepDims: false }),
    count: g.reduceSum(g.mul(isCentre, counts), { keepDims: false }),
  };
}

export const centreFocal = defineObjective({
  kind: 'centreFocal',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      channels: channelsOption,
      alpha: z
        .number()
        .min(0)
        .max(10)
        .default(2)
        .describe('How much less places count that are right already.'),
      beta: z.number().min(0).max(10).default(4).describe('How much less places near a centre count.'),
    })
    .describe(
      'Focal loss of heat maps (logits) whose labels are 1 at the centres of things and Gaussians around them (CenterNet, Zhou et al., 2019).',
    ),
  term({ weight, output, channels, alpha, beta }, context) {
    const names = namesFor('centreFocal', output, context);
    return {
      name: names.term,
      weight,
      build: (g, inputs) => centreFocalLoss(g, centreMaps(g, inputs, names, channels), { alpha, beta }),
    };
  },
});
