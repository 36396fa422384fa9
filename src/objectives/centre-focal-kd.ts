import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { softplus } from './binary-cross-entropy.ts';
import { channelsOption, mapsOf, mapWeights, perMap, studentMaps } from './centre-maps.ts';
import { defineObjective, type SummedLoss, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

export interface TaughtMaps {
  /** float32 [B, channels, H, W]: logits of the student's heat maps. */
  readonly student: TypedValue;
  /** float32 [B, channels, H, W]: the teacher's; no gradient flows to them. */
  readonly teacher: TypedValue;
  /** float32 [B] */
  readonly rowWeights: TypedValue;
}

/**
 * The focal loss of heat maps towards a teacher's: |p - q|^beta (-q log p - (1 - q) log(1 - p)) with p = sigmoid(student)
 * and q = sigmoid(teacher), in nats, summed over all places, by the sum of q: as many centres as the teacher expects. Places
 * on which both agree count little, however many these are.
 *
 * Li et al., "Generalized Focal Loss" (2020), equation 2 (its Quality Focal Loss), whose soft labels are the teacher's scores
 * here, as Tang, Feng, Shao, Wang, Xiong and Dou, "Learning Efficient Detector with Semi-supervised Adaptive Distillation"
 * (2019), have them with another factor.
 */
export function centreFocalKdLoss(
  g: GraphBuilder,
  { student, teacher, rowWeights }: TaughtMaps,
  beta: number,
): SummedLoss {
  const counts = perMap(g, rowWeights);
  const [own, given] = [g.sigmoid(student), g.sigmoid(teacher)];
  const entropy = g.sub(softplus(g, student), g.mul(student, given));
  const difference = g.sub(own, given);
  // The root of what is never 0 has a slope everywhere.
  const factor = g.pow(g.add(g.mul(difference, difference), 1e-12), beta / 2);
  return {
    sum: g.reduceSum(g.mul(g.mul(factor, entropy), counts), { keepDims: false }),
    count: g.reduceSum(g.mul(given, counts), { keepDims: false }),
  };
}

export const centreFocalKd = defineObjective({
  kind: 'centreFocalKd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      channels: channelsOption,
      beta: z
        .number()
        .min(0)
        .max(10)
        .default(2)
        .describe('How much less places count where student and teacher agree.'),
    })
    .describe(
      "Focal loss of heat maps (logits) towards the teacher's (Li et al., 2020; Tang et al., 2019): boxes as knowledge.",
    ),
  answers: ({ output }, context) => [namesFor('centreFocalKd', output, context).tap],
  term({ weight, output, channels, beta }, context) {
    const names = namesFor('centreFocalKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const maps = studentMaps(inputs, names, channels);
        const told = inputs.knowledge(names.tap, (maps.shape as number[]).slice(1));
        const rowWeights = mapWeights(inputs, names, maps.shape);
        return centreFocalKdLoss(
          g,
          { student: mapsOf(g, maps, channels), teacher: mapsOf(g, told, channels), rowWeights },
          beta,
        );
      },
    };
  },
});
