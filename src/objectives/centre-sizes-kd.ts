import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type Channels, channelsOption, mapsOf, mapWeights, perMap, studentMaps } from './centre-maps.ts';
import { defineObjective, type SummedLoss, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

export interface TaughtSizes {
  /** float32 [B, sizes, H, W]: the student's sizes and offsets. */
  readonly student: TypedValue;
  /** float32 [B, sizes, H, W]: the teacher's; no gradient flows to them. */
  readonly teacher: TypedValue;
  /** float32 [B, classes, H, W]: logits of the teacher's heat maps. */
  readonly heat: TypedValue;
  /** float32 [B] */
  readonly rowWeights: TypedValue;
}

/**
 * |student - teacher| of sizes and offsets, summed over their channels; a place counts as much as the teacher is sure that a
 * centre is there, of whatever class, for of all other places its sizes mean nothing.
 *
 * Mehta and Ozturk, "Object detection at 200 Frames Per Second" (2018), section 3.2 (objectness scaled distillation).
 */
export function centreSizesKdLoss(
  g: GraphBuilder,
  { student, teacher, heat, rowWeights }: TaughtSizes,
): SummedLoss {
  const sure = g.reduceMax(g.sigmoid(heat), { axes: [1], keepDims: true });
  const counts = g.mul(sure, perMap(g, rowWeights));
  return {
    sum: g.reduceSum(g.mul(g.abs(g.sub(student, teacher)), counts), { keepDims: false }),
    count: g.reduceSum(counts, { keepDims: false }),
  };
}

/** As the target `boxes` has its maps. */
const SIZES: Channels = [0, 4];
const HEAT: Channels = [4, null];

export const centreSizesKd = defineObjective({
  kind: 'centreSizesKd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      sizes: channelsOption.describe("The output's maps that are sizes and offsets."),
      channels: channelsOption.describe("The output's maps that are heat maps, by which places count."),
    })
    .describe(
      "Distance of sizes and offsets to the teacher's, where the teacher sees centres (Mehta and Ozturk, 2018).",
    ),
  answers: ({ output }, context) => [namesFor('centreSizesKd', output, context).tap],
  term({ weight, output, sizes = SIZES, channels = HEAT }, context) {
    const names = namesFor('centreSizesKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const maps = studentMaps(inputs, names, channels);
        const told = inputs.knowledge(names.tap, (maps.shape as number[]).slice(1));
        return centreSizesKdLoss(g, {
          student: mapsOf(g, maps, sizes),
          teacher: mapsOf(g, told, sizes),
          heat: mapsOf(g, told, channels),
          rowWeights: mapWeights(inputs, names, maps.shape),
        });
      },
    };
  },
});
