import { z } from 'zod';
import { learnedProjection, squaredDistance } from './alignment.ts';
import { type FeatureMap, sharedLoss, stagePairs, type TaughtPart } from './layer-pairs.ts';
import { defineObjective, type ObjectiveContext, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { channelsOf, formatSize, pooledPlaces, smallerSize } from './places.ts';
import { contextOf } from './required-models.ts';

/**
 * The squared distance of the student's feature maps from the teacher's, after a learned 1x1 convolution W where channels
 * differ, both pooled to the smaller of their sizes: the mean over places and channels of (f_s W - f_t)^2.
 *
 * Romero et al., "FitNets: Hints for Thin Deep Nets" (2015), equation 3, with a regressor of size 1x1.
 */
export const features = defineObjective({
  kind: 'features',
  level: 'sequence',
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      stages: z
        .enum(['last', 'all'])
        .default('last')
        .describe(
          'Whether the last maps are compared, or those at the end of every stage: these are large, and so is what is kept of the teacher.',
        ),
    })
    .describe('Squared distance of feature maps after a learned 1x1 convolution (Romero et al., 2015).'),
  knowledge: ({ stages, output }, context) =>
    pairsOf(stages, contextOf(context, 'features', output)).map(({ student, teacher: map }) => ({
      tap: tapOf(student, map),
      build: (g, teacher) => pooledPlaces(g, teacher.value(map.name), map, smallerSize(student, map)),
    })),
  term({ weight, stages, output }, context) {
    const pairs = pairsOf(stages, contextOf(context, 'features', output));
    const names = namesFor('features', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const values = sharedLoss(g, pairs, ({ student, teacher }) => {
          const size = smallerSize(student, teacher);
          const name = `features/${student.name}/${teacher.name}`;
          const dims = [size.height * size.width, teacher.channels];
          const perPlace = squaredDistance(g, {
            student: pooledPlaces(g, inputs.student(student.name), student, size),
            teacher: inputs.knowledge(tapOf(student, teacher), dims),
            projection: learnedProjection(inputs, name, channelsOf(student, teacher)),
          });
          return g.reduceMean(perPlace, { axes: [1], keepDims: false });
        });
        return { values, weights: rowWeightsIn(inputs, names) };
      },
    };
  },
});

function tapOf(student: FeatureMap, teacher: FeatureMap): string {
  return `features/${formatSize(smallerSize(student, teacher))}/${teacher.name}`;
}

function pairsOf(stages: 'last' | 'all', context: ObjectiveContext): TaughtPart<FeatureMap>[] {
  const pairs = stagePairs(context, 'features');
  return stages === 'all' ? pairs : pairs.slice(-1).map((pair) => ({ ...pair, share: 1 }));
}
