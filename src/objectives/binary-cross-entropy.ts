import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { temperatureOption } from './kd-logits.ts';
import { meanOverKnown } from './known-numbers.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';

export interface BinaryCrossEntropyInputs {
  /** float32 [B, C]: a logit for each class, which may be true beside others. */
  logits: TypedValue;
  /** float32 [B, C]: 1 where the class is true, 0 where it is not (or a part of 1), less than 0 where nobody knows. */
  labels: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
}

/**
 * -y log p - (1 - y) log(1 - p) with p = sigmoid(logit), in nats: for each row the mean over the classes that are known.
 *
 * Bishop, "Pattern Recognition and Machine Learning" (2006), equation 4.90, for each class; written as
 * log(1 + e^x) - x y, which no logit overflows.
 */
export function binaryCrossEntropy(
  g: GraphBuilder,
  { logits, labels, rowWeights }: BinaryCrossEntropyInputs,
): RowLosses {
  const known = g.cast(g.greaterOrEqual(labels, 0), 'float32');
  const losses = g.sub(softplus(g, logits), g.mul(logits, g.max(labels, 0)));
  return meanOverKnown(g, losses, known, rowWeights);
}

export interface BinaryKdInputs {
  /** float32 [B, C] */
  student: TypedValue;
  /** float32 [B, C]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
  temperature: number;
}

/**
 * tau^2 KL(Bernoulli(sigmoid(z_t / tau)) || Bernoulli(sigmoid(z_s / tau))), in nats: for each row the mean over classes.
 * With f(x) = log(1 + e^x), of which the sigmoid p is the slope, it is f(s) - f(t) - p_t (s - t).
 *
 * Yang, Xie, Zong, Feng, Niu and Huang, "Multi-Label Knowledge Distillation" (2023), section 3.2: each class against the
 * rest, by binary divergences.
 */
export function binaryKd(
  g: GraphBuilder,
  { student, teacher, rowWeights, temperature }: BinaryKdInputs,
): RowLosses {
  const [own, given] = [student, teacher].map((logits) => g.mul(logits, 1 / temperature)) as [
    TypedValue,
    TypedValue,
  ];
  const slope = g.mul(g.sigmoid(given), g.sub(own, given));
  const losses = g.sub(g.sub(softplus(g, own), softplus(g, given)), slope);
  const mean = g.reduceMean(losses, { axes: [1], keepDims: false });
  return { values: g.mul(mean, temperature ** 2), weights: rowWeights };
}

/** log(1 + e^x) */
export function softplus(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.op('Softplus', [x]);
}

export const bce = defineObjective({
  kind: 'bce',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe(
      'Binary cross-entropy of each class with labels 1 and 0 (less than 0: unknown), for samples of several classes.',
    ),
  term({ weight, output }, context) {
    const names = namesFor('bce', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, numbers, rowWeights } = answerMatrix(g, inputs, names);
        return binaryCrossEntropy(g, { logits: answers, labels: numbers(), rowWeights: rowWeights() });
      },
    };
  },
});

export const bceKd = defineObjective({
  kind: 'bceKd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      temperature: temperatureOption(1).describe('Softens both sides.'),
    })
    .describe(
      "KL divergence to the teacher's probability of each class by itself, for samples of several classes (Yang et al., 2023).",
    ),
  answers: ({ output }, context) => [namesFor('bceKd', output, context).tap],
  term({ weight, output, temperature }, context) {
    const names = namesFor('bceKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, teacher, rowWeights } = answerMatrix(g, inputs, names);
        return binaryKd(g, {
          student: answers,
          teacher: teacher(),
          rowWeights: rowWeights(),
          temperature,
        });
      },
    };
  },
});
