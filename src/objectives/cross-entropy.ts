import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { defineObjective, type ObjectiveTerm, type RowLosses, termWeight } from './objective.ts';
import { namesFor, type OutputNames, outputOption } from './output-names.ts';

export interface CrossEntropyInputs {
  /** float32 [B, C] */
  logits: TypedValue;
  /** int32 [B]; rows with -1 do not count. */
  labels: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
  /** Mass that is spread evenly over all classes (Szegedy et al., 2016, section 7); 0 for none. */
  smoothing?: number;
}

/** Cross-entropy with the labels, in nats, for each row; rows without a label do not count. */
export function crossEntropy(
  g: GraphBuilder,
  { logits, labels, rowWeights, smoothing = 0 }: CrossEntropyInputs,
): RowLosses {
  const logProbabilities = g.logSoftmax(logits);
  const known = g.cast(g.greaterOrEqual(labels, 0), 'float32');
  const safe = g.unsqueeze(g.cast(g.max(labels, 0), 'int64'), [1]);
  let perRow = g.neg(g.squeeze(g.gatherElements(logProbabilities, safe, 1), [1]));
  if (smoothing > 0) {
    const even = g.neg(g.reduceMean(logProbabilities, { axes: [1], keepDims: false }));
    perRow = g.add(g.mul(perRow, 1 - smoothing), g.mul(even, smoothing));
  }
  return { values: perRow, weights: g.mul(known, rowWeights) };
}

/** The term `labels`: the student's logits towards the labels; those of the main output without `names`. */
export function labelsTerm(
  options: { readonly weight: number; readonly smoothing?: number | undefined },
  names: OutputNames = namesFor('labels', undefined, {}),
): ObjectiveTerm {
  return {
    name: names.term,
    weight: options.weight,
    build(g, inputs) {
      const { answers, classLabels, rowWeights } = answerMatrix(g, inputs, names);
      return crossEntropy(g, {
        logits: answers,
        labels: classLabels(),
        rowWeights: rowWeights(),
        smoothing: options.smoothing,
      });
    },
  };
}

export const labels = defineObjective({
  kind: 'labels',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(0.1),
      output: outputOption,
      smoothing: z
        .number()
        .min(0)
        .lt(1)
        .optional()
        .describe('Mass that is spread over all classes (Szegedy et al., 2016); 0 when absent.'),
    })
    .describe(
      'Cross-entropy with the labels, where samples have one. Its weight is 1 when there is no teacher.',
    ),
  compiled: { smoothing: 0 },
  term: (options, context) => labelsTerm(options, namesFor('labels', options.output, context)),
});
