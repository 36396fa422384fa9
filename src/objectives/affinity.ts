import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import {
  countedColumns,
  outputsOption,
  type PairedInputs,
  pairedName,
  pairedOutputs,
} from './paired-outputs.ts';
import { klDivergence } from './soft-targets.ts';
import { unitRows } from './unit-rows.ts';

export interface AffinityInputs {
  readonly student: PairedInputs;
  /** float32 [B, E] each, of length 1: their width may be another one. No gradient flows to them. */
  readonly teacher: { readonly first: TypedValue; readonly second: TypedValue };
  readonly temperature: number;
  readonly teacherTemperature: number;
}

/**
 * KL divergence from the teacher's distribution over the batch (how near each row of the second side is to a row of the
 * first, by the softmax of cosines) to the student's, and the same the other way round: the mean of both directions, in
 * nats, for each row.
 *
 * Wu et al., "TinyCLIP: CLIP Distillation via Affinity Mimicking and Weight Inheritance" (2023), equations 3 and 4, as a
 * divergence, which differs by the teacher's entropy.
 */
export function affinityDivergence(
  g: GraphBuilder,
  { student, teacher, temperature, teacherTemperature }: AffinityInputs,
): RowLosses {
  const counted = countedColumns(g, student.rowWeights);
  const scores = ({ first, second }: { first: TypedValue; second: TypedValue }, softness: number) =>
    g.mul(g.gemm(first, second, null, { transB: true }), 1 / softness);
  const [own, given] = [scores(student, temperature), scores(teacher, teacherTemperature)];
  const logs = (matrix: TypedValue) => g.logSoftmax(g.add(matrix, counted));
  const across = (matrix: TypedValue) => g.transpose(matrix, [1, 0]);
  const forth = klDivergence(g, logs(given), logs(own));
  const back = klDivergence(g, logs(across(given)), logs(across(own)));
  return { values: g.mul(g.add(forth, back), 0.5), weights: student.rowWeights };
}

const softness = (temperature: number) => z.number().min(0.01).max(10).default(temperature);

export const affinityKd = defineObjective({
  kind: 'affinityKd',
  level: 'task',
  relatesRows: true,
  options: z
    .strictObject({
      weight: termWeight(1),
      outputs: outputsOption,
      temperature: softness(0.05).describe("What the student's cosines are divided by."),
      teacherTemperature: softness(0.05).describe("What the teacher's cosines are divided by."),
    })
    .describe(
      "KL divergence to the teacher's similarities between the two outputs' rows of a batch, both ways (affinity mimicking, Wu et al., 2023).",
    ),
  answers: ({ outputs }) => outputs,
  term: ({ weight, outputs, ...temperatures }, context) => ({
    name: pairedName('affinityKd', outputs),
    weight,
    build(g, inputs) {
      const student = pairedOutputs(g, inputs, 'affinityKd', outputs, context);
      const width = student.first.shape[1] as number;
      const [first, second] = outputs.map((output) => {
        const told = inputs.knowledge(output, [context.teacherWidths?.get(output) ?? width]);
        return unitRows(g, told);
      }) as [TypedValue, TypedValue];
      return affinityDivergence(g, { student, teacher: { first, second }, ...temperatures });
    },
  }),
});
