import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { defineObjective, type ObjectiveTerm, type RowLosses, termWeight } from './objective.ts';

export interface KdLogitsInputs {
  /** float32 [B, C] */
  student: TypedValue;
  /** float32 [B, C]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B]: how much each row counts. */
  rowWeights: TypedValue;
  temperature: number;
}

/**
 * KL divergence from the teacher's softened class distribution to the student's, times tau squared, so that its
 * gradient keeps its size as tau changes. In nats, for each row.
 *
 * Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2.
 */
export function kdLogits(
  g: GraphBuilder,
  { student, teacher, rowWeights, temperature }: KdLogitsInputs,
): RowLosses {
  const soften = (logits: TypedValue) =>
    g.logSoftmax(temperature === 1 ? logits : g.mul(logits, 1 / temperature));
  const target = soften(teacher);
  const divergence = g.mul(g.exp(target), g.sub(target, soften(student)));
  const perRow = g.reduceSum(divergence, { axes: [1], keepDims: false });
  return { values: g.mul(perRow, temperature ** 2), weights: rowWeights };
}

/** The term `kd` of a recipe: the student's `logits` towards the teacher's. */
export function kdTerm(options: { weight: number; temperature: number; classes: number }): ObjectiveTerm {
  return {
    name: 'kd',
    weight: options.weight,
    build: (g, inputs) =>
      kdLogits(g, {
        student: inputs.student('logits'),
        teacher: inputs.knowledge('logits', [options.classes]),
        rowWeights: inputs.rowWeights(),
        temperature: options.temperature,
      }),
  };
}

export const kd = defineObjective({
  name: 'kd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(0.9),
      temperature: z
        .number()
        .min(0.1)
        .max(100)
        .default(2)
        .describe('Softens both distributions; the term is scaled by its square (Hinton et al., 2015).'),
    })
    .describe("KL divergence to the teacher's class distribution. Left out when there is no teacher."),
  term: (options, { classes }) => kdTerm({ ...options, classes }),
});
