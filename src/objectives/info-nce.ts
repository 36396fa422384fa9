import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { defineObjective, type ObjectiveInputs, type RowLosses, termWeight } from './objective.ts';
import {
  countedColumns,
  diagonal,
  outputsOption,
  type PairedInputs,
  pairedName,
  pairedOutputs,
} from './paired-outputs.ts';

/**
 * Which of the second side's rows belongs to a row of the first, and the other way round, each a cross-entropy over the
 * rows of the batch by their cosine times `scale`: the mean of both directions, in nats, for each row.
 *
 * van den Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive Coding" (2018), equation 4; symmetric
 * as in Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021), figure 3.
 */
export function infoNceLoss(
  g: GraphBuilder,
  { first, second, rowWeights }: PairedInputs,
  scale: TypedValue | number,
): RowLosses {
  const similarity = g.mul(g.gemm(first, second, null, { transB: true }), scale);
  const counted = countedColumns(g, rowWeights);
  const directions = [similarity, g.transpose(similarity, [1, 0])].map((scores) =>
    diagonal(g, g.logSoftmax(g.add(scores, counted))),
  ) as [TypedValue, TypedValue];
  return { values: g.mul(g.add(...directions), -0.5), weights: rowWeights };
}

/** CLIP's start, and the largest scale that it allows: a temperature of 0.01. */
const START = 0.07;
const LARGEST_SCALE = 100;

export const infoNce = defineObjective({
  kind: 'infoNce',
  level: 'task',
  relatesRows: true,
  options: z
    .strictObject({
      weight: termWeight(1),
      outputs: outputsOption,
      temperature: z
        .union([z.number().min(0.01).max(10), z.literal('learnt')])
        .default('learnt')
        .describe(
          'What cosines are divided by; `learnt` trains it with the student, from 0.07 and not below 0.01 (Radford et al., 2021).',
        ),
    })
    .describe(
      'Contrastive: of all rows of the batch, the one that belongs to a row of the other output is to be the nearest, both ways (InfoNCE; CLIP).',
    ),
  term({ weight, outputs, temperature }, context) {
    const name = pairedName('infoNce', outputs);
    return {
      name,
      weight,
      build(g, inputs) {
        const pairs = pairedOutputs(g, inputs, 'infoNce', outputs, context);
        const scale = temperature === 'learnt' ? learntScale(g, inputs, name) : 1 / temperature;
        return infoNceLoss(g, pairs, scale);
      },
    };
  },
});

/** The inverse temperature, float32 []; its logarithm is what is trained. */
function learntScale(g: GraphBuilder, inputs: ObjectiveInputs, name: string): TypedValue {
  // A matrix: vectors are joined with the student's, whose optimizer state a later stage could then not find.
  const log = inputs.parameter(`${name}/log_scale`, [1, 1], () => Float32Array.of(-Math.log(START)));
  return g.exp(g.clip(g.squeeze(log, [0, 1]), 0, Math.log(LARGEST_SCALE)));
}
