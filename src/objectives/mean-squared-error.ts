import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { inSpreads } from './in-spreads.ts';
import { knownNumbers, meanOverKnown } from './known-numbers.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

export interface RegressionInputs {
  /** float32 [rows, width] */
  prediction: TypedValue;
  /** float32 [rows, width]; NaN where there is no number. No gradient flows to it. */
  target: TypedValue;
  /** float32 [rows]: how much each row counts. */
  rowWeights: TypedValue;
}

/** The mean over a row's squared errors, as far as its numbers are known: [rows]. */
export function meanSquaredError(
  g: GraphBuilder,
  { prediction, target, rowWeights }: RegressionInputs,
): RowLosses {
  const { numbers, known } = knownNumbers(g, target);
  return meanOverKnown(g, g.square(g.sub(prediction, numbers)), known, rowWeights);
}

export const mse = defineObjective({
  kind: 'mse',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe("The mean squared error to labels of the output's shape (NaN: none)."),
  term({ weight, output }, context) {
    const names = namesFor('mse', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, numbers, rowWeights } = answerMatrix(g, inputs, names);
        const [prediction, target] = [answers, numbers()].map((one) =>
          inSpreads(g, one, names.output, context),
        ) as [TypedValue, TypedValue];
        return meanSquaredError(g, { prediction, target, rowWeights: rowWeights() });
      },
    };
  },
});

/** Ba and Caruana, "Do Deep Nets Really Need to be Deep?" (2014), section 2.2, of any output that is numbers. */
export const mseKd = defineObjective({
  kind: 'mseKd',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe("The mean squared error to the teacher's numbers (Ba and Caruana, 2014)."),
  answers: ({ output }, context) => [namesFor('mseKd', output, context).tap],
  term({ weight, output }, context) {
    const names = namesFor('mseKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, teacher, rowWeights } = answerMatrix(g, inputs, names);
        const [prediction, target] = [answers, teacher()].map((one) =>
          inSpreads(g, one, names.output, context),
        ) as [TypedValue, TypedValue];
        return meanSquaredError(g, { prediction, target, rowWeights: rowWeights() });
      },
    };
  },
});
