import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { ROW_WEIGHTS } from './answer-rows.ts';
import { temperatureOption } from './kd-logits.ts';
import { defineObjective, type ObjectiveInputs, type RowLosses, termWeight } from './objective.ts';
import { namesFor, type OutputNames, outputOption } from './output-names.ts';
import { softened } from './soft-targets.ts';
import { tokenMask } from './token-mean.ts';

export interface TokenLabelsInputs {
  /** float32 [B, T, C] */
  logits: TypedValue;
  /** int32 [B, T]; -1 where a token has no label. */
  labels: TypedValue;
  /** float32 [B, T]: how much each token counts; 0 for padding. */
  tokenWeights: TypedValue;
}

/**
 * Cross-entropy with the labels of tokens, in nats. A row's loss is the mean over its tokens and its weight their number,
 * so that the mean over the batch is that over all tokens.
 */
export function tokenCrossEntropy(
  g: GraphBuilder,
  { logits, labels, tokenWeights }: TokenLabelsInputs,
): RowLosses {
  const known = g.cast(g.greaterOrEqual(labels, 0), 'float32');
  const safe = g.unsqueeze(g.cast(g.max(labels, 0), 'int64'), [2]);
  const perToken = g.neg(g.squeeze(g.gatherElements(g.logSoftmax(logits), safe, 2), [2]));
  return meanOverTokens(g, perToken, g.mul(known, tokenWeights));
}

export interface TokenKdInputs {
  /** float32 [B, T, C] */
  student: TypedValue;
  /** float32 [B, T, C]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B, T] */
  tokenWeights: TypedValue;
  temperature: number;
  /** Of a token's loss, in nats; none when absent. */
  clip?: number | undefined;
}

/**
 * tau^2 KL(softmax(z_t / tau) || softmax(z_s / tau)) of each token, in nats; rows as for `tokenCrossEntropy`.
 *
 * Hinton, Vinyals and Dean (2015), section 2, token by token; for sequence labelling, Wang et al., "Structure-Level Knowledge
 * Distillation For Multilingual Sequence Labeling" (2020), section 2.2.
 */
export function tokenKdLogits(
  g: GraphBuilder,
  { student, teacher, tokenWeights, temperature, clip }: TokenKdInputs,
): RowLosses {
  const [given, own] = [teacher, student].map((logits) => softened(g, logits, temperature)) as [
    TypedValue,
    TypedValue,
  ];
  const divergence = g.mul(g.exp(given), g.sub(given, own));
  const perToken = g.mul(g.reduceSum(divergence, { axes: [2], keepDims: false }), temperature ** 2);
  return meanOverTokens(g, clipped(g, perToken, clip), tokenWeights);
}

/** Losses of tokens that are no larger than a bound: above it nothing pulls. */
export function clipped(g: GraphBuilder, perToken: TypedValue, clip: number | undefined): TypedValue {
  return clip === undefined ? perToken : g.min(perToken, clip);
}

/** The bound of a token's loss. */
export const clipOption = z
  .number()
  .positive()
  .optional()
  .describe(
    'The most that a token counts, in nats: one that teacher and student are further apart about pulls no more. No bound when absent.',
  );

/** Where a label says that something is asked: of the truth (a class), or of the teacher alone. float32, of the labels' shape. */
export function isAsked(g: GraphBuilder, labels: TypedValue): TypedValue {
  return g.sub(1, g.cast(g.equal(labels, g.scalar(-1, 'int32')), 'float32'));
}

/** Losses of tokens, [B, T], as those of their rows. */
export function meanOverTokens(g: GraphBuilder, perToken: TypedValue, tokenWeights: TypedValue): RowLosses {
  const sums = g.reduceSum(g.mul(perToken, tokenWeights), { axes: [1], keepDims: false });
  return perWeight(g, sums, tokenWeights);
}

/** Sums of tokens' losses by their weights, [B], as losses of rows: means over their tokens that count as often as these do. */
export function perWeight(g: GraphBuilder, sums: TypedValue, tokenWeights: TypedValue): RowLosses {
  const weights = g.reduceSum(tokenWeights, { axes: [1], keepDims: false });
  // A row whose tokens count a half each has a weight below 1.
  return { values: g.div(sums, g.max(weights, LEAST_WEIGHT)), weights };
}

/** Below every weight that counts. */
const LEAST_WEIGHT = 1e-6;

export const tokenLabels = defineObjective({
  kind: 'tokenLabels',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe('Cross-entropy with the labels of tokens (-1: none), the mean over all tokens of a batch.'),
  term({ weight, output }, context) {
    const names = namesFor('tokenLabels', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { logits, dims, tokenWeights } = tokenAnswers(g, inputs, names);
        const meaning = 'the class of each token, from 0; -1 where there is none';
        const labels = inputs.input(names.labels, 'int32', dims.slice(0, 2), meaning);
        return tokenCrossEntropy(g, { logits, labels, tokenWeights });
      },
    };
  },
});

export const tokenKd = defineObjective({
  kind: 'tokenKd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      temperature: temperatureOption(1).describe('Softens both distributions.'),
    })
    .describe(
      "KL divergence to the teacher's class distribution of each token, the mean over all tokens of a batch (Hinton et al., 2015).",
    ),
  answers: ({ output }, context) => [namesFor('tokenKd', output, context).tap],
  term({ weight, output, temperature }, context) {
    const names = namesFor('tokenKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { logits, dims, tokenWeights } = tokenAnswers(g, inputs, names);
        const meaning = `the teacher's answer for '${names.output}'`;
        const teacher = inputs.input(`knowledge/${names.tap}`, 'float32', dims, meaning);
        return tokenKdLogits(g, { student: logits, teacher, tokenWeights, temperature });
      },
    };
  },
});

const ATTENTION_MASK = 'attention_mask';

/** An output of tokens, and how much each of them counts: by its row, and by the student's mask where it has one of that shape. */
export function tokenAnswers(g: GraphBuilder, inputs: ObjectiveInputs, names: OutputNames) {
  const logits = inputs.student(names.output);
  const dims = logits.shape as number[];
  if (logits.type !== 'float32' || dims.length !== 3) {
    throw new LimbeckError(
      'train.objective-output',
      `the output '${names.output}' has no classes of tokens`,
      {
        where: `objective ${names.term}, output '${names.output}': ${logits.type}${formatShape(dims)}`,
        remedy: 'Name another output, float32 [batch, sequence, classes].',
      },
    );
  }
  const [batch, length] = dims as [number, number, number];
  const rows = g.unsqueeze(inputs.input(names.rowWeights, 'float32', [batch], ROW_WEIGHTS), [1]);
  const mask = inputs.has(ATTENTION_MASK) ? inputs.student(ATTENTION_MASK) : undefined;
  const masked = mask?.shape.join() === `${batch},${length}`;
  const tokenWeights = masked
    ? g.mul(tokenMask(g, mask as TypedValue), rows)
    : g.expand(rows, [batch, length]);
  return { logits, dims, tokenWeights };
}
