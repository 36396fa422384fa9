import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { temperatureOption } from './kd-logits.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { softened } from './soft-targets.ts';

export interface DistInputs {
  /** float32 [B, C] */
  student: TypedValue;
  /** float32 [B, C] */
  teacher: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
  temperature: number;
  /** How much the relations between the classes of a sample count. */
  inter: number;
  /** How much the relations between the samples of a class count. */
  intra: number;
}

/** What is added to a sum of squares, so that a constant row or column has correlation 0 and no slope. */
const LEAST_SQUARES = 1e-12;

/**
 * Pearson correlations instead of a divergence: a student need not hit the teacher's probabilities, but rank as it does.
 * tau^2 (inter (1 - corr over the classes of a row) + intra (1 - corr over the batch of a class, the mean of all classes)).
 *
 * A class's correlation is a sum over the rows, and each row is told its part of it (times the number of rows that
 * count), so that the mean over the rows is the paper's loss.
 *
 * Huang, You, Wang, Qian and Xu, "Knowledge Distillation from A Stronger Teacher" (2022), equations 6-10.
 */
export function dist(
  g: GraphBuilder,
  { student, teacher, rowWeights, temperature, inter, intra }: DistInputs,
): RowLosses {
  const sides = [student, teacher].map((logits) => g.exp(softened(g, logits, temperature)));
  const rows = sides.map((x) => unit(g, g.sub(x, g.reduceMean(x, { axes: [1] })), 1));
  const ofRows = g.reduceSum(g.mul(rows[0]!, rows[1]!), { axes: [1], keepDims: false });

  const weights = g.unsqueeze(rowWeights, [1]);
  const count = g.max(g.reduceSum(rowWeights, { keepDims: false }), 1);
  const columns = sides.map((x) => {
    const mean = g.div(g.reduceSum(g.mul(x, weights), { axes: [0] }), count);
    return unit(g, g.mul(g.sub(x, mean), g.sqrt(weights)), 0);
  });
  // Both columns bring the root of a row's weight, which the mean over the rows will multiply by: count over weight.
  const parts = g.reduceMean(g.mul(columns[0]!, columns[1]!), { axes: [1], keepDims: false });
  const ofColumns = g.mul(parts, g.div(count, g.max(rowWeights, 1e-6)));
  const perRow = g.add(g.mul(g.sub(1, ofRows), inter), g.mul(g.sub(1, ofColumns), intra));
  return { values: g.mul(perRow, temperature ** 2), weights: rowWeights };
}

/** Vectors along an axis with length 1. */
function unit(g: GraphBuilder, x: TypedValue, axis: number): TypedValue {
  return g.div(x, g.sqrt(g.add(g.reduceSum(g.square(x), { axes: [axis] }), LEAST_SQUARES)));
}

export const distObjective = defineObjective({
  kind: 'dist',
  level: 'task',
  relatesRows: true,
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      temperature: temperatureOption(1).describe('Softens both distributions.'),
      inter: z.number().min(0).max(100).default(1).describe('The relations between the classes of a sample.'),
      intra: z.number().min(0).max(100).default(1).describe('The relations between the samples of a class.'),
    })
    .describe(
      "Correlations of the student's class probabilities with the teacher's (DIST, Huang et al., 2022).",
    ),
  answers: ({ output }, context) => [namesFor('dist', output, context).tap],
  term({ weight, output, ...options }, context) {
    const names = namesFor('dist', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, teacher, rowWeights } = answerMatrix(g, inputs, names);
        return dist(g, {
          ...options,
          student: answers,
          teacher: teacher(),
          rowWeights: rowWeights(),
        });
      },
    };
  },
});
