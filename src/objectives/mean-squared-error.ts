import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

export interface MeanSquaredErrorInputs {
  /** float32 [rows, width] */
  prediction: TypedValue;
  /** float32 [rows, width] */
  target: TypedValue;
  /** float32 [rows]: how much each row counts. */
  rowWeights: TypedValue;
}

/** The mean over a row's squared errors: [rows]. */
export function meanSquaredError(
  g: GraphBuilder,
  { prediction, target, rowWeights }: MeanSquaredErrorInputs,
): RowLosses {
  const values = g.reduceMean(g.square(g.sub(prediction, target)), { axes: [1], keepDims: false });
  return { values, weights: rowWeights };
}

export const mse = defineObjective({
  kind: 'mse',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe("The mean squared error to a target of the output's shape."),
  term({ weight, output }, context) {
    const names = namesFor('mse', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, numbers, rowWeights } = answerMatrix(g, inputs, names);
        return meanSquaredError(g, { prediction: answers, target: numbers(), rowWeights: rowWeights() });
      },
    };
  },
});
