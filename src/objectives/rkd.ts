import { z } from 'zod';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { lastRepresentationRequest, lastRepresentations } from './last-representation.ts';
import { defineObjective, type ObjectiveInputs, termWeight } from './objective.ts';
import { namesFor, type OutputNames, outputOption } from './output-names.ts';
import { angleRelations, distanceRelations } from './relations.ts';
import { contextOf } from './required-models.ts';

export const rkd = defineObjective({
  kind: 'rkd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      on: z
        .enum(['logits', 'last-layer'])
        .default('logits')
        .describe(
          "What stands for a sample: its logits, or the mean of the last layer's output over tokens or places (which is then kept of the teacher).",
        ),
      distance: z.number().min(0).max(100).default(1).describe('How much the distances of samples count.'),
      angle: z.number().min(0).max(100).default(2).describe('How much the angles between samples count.'),
      group: z
        .int()
        .min(3)
        .max(256)
        .default(32)
        .describe('Angles are compared in groups of so many samples: their number grows with its square.'),
    })
    .refine(({ distance, angle }) => distance + angle > 0, {
      error: 'distance and angle are 0: nothing would be compared',
    })
    .describe('Distances and angles between samples (relational distillation, Park et al., 2019).'),
  relatesRows: true,
  answers: ({ on, output }, context) => (on === 'logits' ? [namesFor('rkd', output, context).tap] : []),
  knowledge: ({ on, output }, context) =>
    on === 'logits' ? [] : [lastRepresentationRequest(contextOf(context, 'rkd', output), 'rkd')],
  term({ weight, output, on, distance, angle, group }, context) {
    const names = namesFor('rkd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const sides =
          on === 'logits'
            ? answersOfBoth(g, inputs, names)
            : lastRepresentations(g, inputs, contextOf(context, 'rkd', output), 'rkd');
        const rowWeights = inputs.input(names.rowWeights, 'float32', [sides.student.shape[0] as number]);
        const all = { ...sides, rowWeights };
        const parts = [
          ...(distance > 0 ? [g.mul(distanceRelations(g, all), distance)] : []),
          ...(angle > 0 ? [g.mul(angleRelations(g, all, group), angle)] : []),
        ];
        return { values: parts.reduce((sum, part) => g.add(sum, part)), weights: rowWeights };
      },
    };
  },
});

function answersOfBoth(g: GraphBuilder, inputs: ObjectiveInputs, names: OutputNames) {
  const { answers, teacher } = answerMatrix(g, inputs, names);
  return { student: answers, teacher: teacher() };
}
