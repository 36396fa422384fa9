import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { lastRepresentationRequest, lastRepresentations } from './last-representation.ts';
import { defineObjective, type ObjectiveContext, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { contextOf } from './required-models.ts';

/** Added to a variance before its root. */
const EPSILON = 1e-5;

export interface FeatureMseInputs {
  /** float32 [B, widthS] */
  student: TypedValue;
  /** float32 [B, widthT]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [widthS, widthT]: a trained projection. */
  projection: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
}

/**
 * The mean over the teacher's width of (f_s W - f_t)^2, for each row, where f_t has a mean of 0 and a variance of 1 in each
 * row, so that the loss is of one size whatever the teacher.
 *
 * The feature part of the hybrid loss; Romero et al., "FitNets" (2015), equation 3, on what the last layers make of a whole
 * sample.
 */
export function featureMse(
  g: GraphBuilder,
  { student, teacher, projection, rowWeights }: FeatureMseInputs,
): RowLosses {
  const centred = g.sub(teacher, g.reduceMean(teacher, { axes: [1] }));
  const variance = g.reduceMean(g.square(centred), { axes: [1] });
  const target = g.div(centred, g.sqrt(g.add(variance, EPSILON)));
  const difference = g.sub(g.matMul(student, projection), target);
  return {
    values: g.reduceMean(g.square(difference), { axes: [1], keepDims: false }),
    weights: rowWeights,
  };
}

export const featureMseObjective = defineObjective({
  kind: 'featureMse',
  level: 'sequence',
  options: z
    .strictObject({ weight: termWeight(0), output: outputOption })
    .describe(
      'Squared distance of what the last layers make of a sample, through a learned projection (Romero et al., 2015). With kd it is the default objective; it is left out where a model shows no layers.',
    ),
  applies: hasLayers,
  knowledge: ({ output }, context) => [
    lastRepresentationRequest(contextOf(context, 'featureMse', output), 'featureMse'),
  ],
  term({ weight, output }, context) {
    const own = contextOf(context, 'featureMse', output);
    const names = namesFor('featureMse', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { student, teacher } = lastRepresentations(g, inputs, own, 'featureMse');
        const dims = [student.shape[1] as number, teacher.shape[1] as number] as const;
        const projection = inputs.parameter(`${names.term}/projection`, dims, (random) => {
          const scale = 1 / Math.sqrt(dims[0]);
          return Float32Array.from({ length: dims[0] * dims[1] }, () => scale * random.normal());
        });
        return featureMse(g, { student, teacher, projection, rowWeights: rowWeightsIn(inputs, names) });
      },
    };
  },
});

function hasLayers({ models }: ObjectiveContext): boolean {
  const sides = models ? [models.student, models.teacher] : [];
  const shows = ({ layers }: (typeof sides)[number]) =>
    layers.some(({ hidden, features }) => hidden ?? features);
  return sides.length > 0 && sides.every(shows);
}
