import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { inSpreads } from './in-spreads.ts';
import { knownNumbers, meanOverKnown } from './known-numbers.ts';
import type { RegressionInputs } from './mean-squared-error.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

/**
 * Half the square of a difference up to delta, a line of slope delta beyond: one sample that is far off pulls no harder
 * than one that is delta off.
 *
 * Huber, "Robust Estimation of a Location Parameter" (1964), section 1.
 */
export function huber(g: GraphBuilder, difference: TypedValue, delta = 1): TypedValue {
  const size = g.abs(difference);
  const small = g.min(size, delta);
  return g.mul(small, g.sub(size, g.mul(small, 0.5)));
}

/** The mean over a row's Huber losses, as far as its numbers are known: [rows]. */
export function huberError(
  g: GraphBuilder,
  { prediction, target, rowWeights }: RegressionInputs,
  delta: number,
): RowLosses {
  const { numbers, known } = knownNumbers(g, target);
  return meanOverKnown(g, huber(g, g.sub(prediction, numbers), delta), known, rowWeights);
}

const options = z.strictObject({
  weight: termWeight(1),
  output: outputOption,
  delta: z
    .number()
    .gt(0)
    .max(1e6)
    .default(1)
    .describe('Errors count by their square up to it, and by their size beyond.'),
});

export const huberLabels = defineObjective({
  kind: 'huber',
  level: 'task',
  options: options.describe("Huber's loss to labels of the output's shape (NaN: none; Huber, 1964)."),
  term({ weight, output, delta }, context) {
    const names = namesFor('huber', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, numbers, rowWeights } = answerMatrix(g, inputs, names);
        const [prediction, target] = [answers, numbers()].map((one) =>
          inSpreads(g, one, names.output, context),
        ) as [TypedValue, TypedValue];
        return huberError(g, { prediction, target, rowWeights: rowWeights() }, delta);
      },
    };
  },
});

export const huberKd = defineObjective({
  kind: 'huberKd',
  level: 'task',
  options: options.describe("Huber's loss to the teacher's numbers."),
  answers: ({ output }, context) => [namesFor('huberKd', output, context).tap],
  term({ weight, output, delta }, context) {
    const names = namesFor('huberKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, teacher, rowWeights } = answerMatrix(g, inputs, names);
        const [prediction, target] = [answers, teacher()].map((one) =>
          inSpreads(g, one, names.output, context),
        ) as [TypedValue, TypedValue];
        return huberError(g, { prediction, target, rowWeights: rowWeights() }, delta);
      },
    };
  },
});
