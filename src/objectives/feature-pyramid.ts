import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { learnedProjection, squaredDistance } from './alignment.ts';
import { sharedLoss, stagePairs } from './layer-pairs.ts';
import { defineObjective, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { channelsOf, pooledPlaces, poolingMatrix } from './places.ts';
import { contextOf } from './required-models.ts';

/** How much the next coarser scale counts against a finer one (the paper's code). */
const DECAY = 0.5;

const square = (side: number) => ({ height: side, width: side });

/** The vectors of all scales, finest first: [B, finest^2, channels] -> [B, the sum of the squares, channels]. */
function allScales(g: GraphBuilder, finest: TypedValue, scales: readonly number[]): TypedValue {
  const matrices = scales.map((side) => poolingMatrix(square(scales[0]!), square(side)));
  const pixels = scales[0]! ** 2;
  // Transposed, one below the other: a row for each place of each scale.
  const rows = matrices.flatMap(({ data, dims }) => {
    const places = dims[1] as number;
    return Array.from({ length: places * pixels }, (_, i) => {
      const [place, pixel] = [Math.floor(i / pixels), i % pixels];
      return data[pixel * places + place] as number;
    });
  });
  return g.matMul(g.constant(float32(rows, [rows.length / pixels, pixels])), finest);
}

/** How much each place counts: each scale by its own weight, the places of a scale alike; they sum to 1. */
function placeWeights(scales: readonly number[]): number[] {
  const whole = scales.reduce((sum, _, i) => sum + DECAY ** i, 0);
  return scales.flatMap((side, i) => new Array<number>(side ** 2).fill(DECAY ** i / side ** 2 / whole));
}

/**
 * The squared distance of feature maps at several scales, at the end of every stage: both sides are pooled to squares of
 * each scale, the student's led to the teacher's channels by a learned 1x1 convolution W, and the mean squared
 * differences of the scales are averaged, a coarser one with half the weight.
 *
 * Chen, Liu, Zhao and Jia, "Distilling Knowledge via Knowledge Review" (2021), section 3.4 (hierarchical context loss),
 * without the fusion of stages. Pooling and projecting can change places, so the projection sees pooled maps.
 */
export const featurePyramid = defineObjective({
  kind: 'featurePyramid',
  level: 'sequence',
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      scales: z
        .array(z.int().min(1).max(32))
        .min(1)
        .refine((scales) => scales.every((side) => scales[0]! % side === 0), {
          error: 'each scale has to divide the first one, which is the finest',
        })
        .default([4, 2, 1])
        .describe('Sides of the squares that maps are pooled to, the finest first; each divides it.'),
    })
    .describe(
      'Squared distance of feature maps at several scales, at the end of every stage (Chen et al., 2021).',
    ),
  knowledge: ({ scales, output }, context) =>
    stagePairs(contextOf(context, 'featurePyramid', output), 'featurePyramid').map(({ teacher: map }) => ({
      tap: tapOf(scales, map.name),
      build: (g, teacher) => pooledPlaces(g, teacher.value(map.name), map, square(scales[0]!)),
    })),
  term({ weight, scales, output }, context) {
    const pairs = stagePairs(contextOf(context, 'featurePyramid', output), 'featurePyramid');
    const names = namesFor('featurePyramid', output, context);
    const places = scales[0]! ** 2;
    const weights = float32(placeWeights(scales));
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const values = sharedLoss(g, pairs, ({ student, teacher }) => {
          const own = pooledPlaces(g, inputs.student(student.name), student, square(scales[0]!));
          const other = inputs.knowledge(tapOf(scales, teacher.name), [places, teacher.channels]);
          const name = `featurePyramid/${student.name}/${teacher.name}`;
          const perPlace = squaredDistance(g, {
            student: allScales(g, own, scales),
            teacher: allScales(g, other, scales),
            projection: learnedProjection(inputs, name, channelsOf(student, teacher)),
          });
          return g.reduceSum(g.mul(perPlace, g.constant(weights)), { axes: [1], keepDims: false });
        });
        return { values, weights: rowWeightsIn(inputs, names) };
      },
    };
  },
});

function tapOf(scales: readonly number[], map: string): string {
  return `features/${scales[0]}x${scales[0]}/${map}`;
}
