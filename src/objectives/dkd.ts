import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { temperatureOption } from './kd-logits.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { klDivergence, softened } from './soft-targets.ts';

export interface DecoupledKdInputs {
  /** float32 [B, C] */
  student: TypedValue;
  /** float32 [B, C] */
  teacher: TypedValue;
  /** int32 [B]: the target class; where it is -1, the class that the teacher ranks first. */
  labels: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
  temperature: number;
  /** How much the target class against all others counts. */
  alpha: number;
  /** How much the others among themselves count. */
  beta: number;
}

/** What a logit is lowered by to take its class out of a softmax; e^-1000 is 0 in float32, and no sum overflows. */
const OUT = 1000;

/**
 * tau^2 (alpha TCKD + beta NCKD) for each row, in nats. TCKD is the KL divergence of the two probabilities (the target
 * class, all others), NCKD that of the distributions over the other classes. Plain distillation weighs the second by
 * the teacher's doubt 1 - p_t, which silences it where the teacher is certain.
 *
 * Zhao, Cui, Song, Qiu and Liang, "Decoupled Knowledge Distillation" (2022), equations 7-9.
 */
export function decoupledKd(
  g: GraphBuilder,
  { student, teacher, labels, rowWeights, temperature, alpha, beta }: DecoupledKdInputs,
): RowLosses {
  const classes = student.shape[1] as number;
  const top = g.argMax(teacher);
  const known = g.cast(labels, 'int64');
  const target = g.oneHot(g.where(g.less(known, 0), top, known), classes);
  const sides = [teacher, student].map((logits) => {
    const whole = softened(g, logits, temperature);
    const others = softened(g, g.sub(logits, g.mul(target, OUT * temperature)), temperature);
    const isOther = g.sub(1, target);
    // log softmax over all and over the others differ, at each of the others, by the log of what they have together.
    const rest = g.div(sumOf(g.mul(g.sub(whole, others), isOther)), Math.max(1, classes - 1));
    return { of: sumOf(g.mul(whole, target)), rest, others };
  });
  const [given, own] = sides as [(typeof sides)[number], (typeof sides)[number]];
  const binary = g.add(
    g.mul(g.exp(given.of), g.sub(given.of, own.of)),
    g.mul(g.exp(given.rest), g.sub(given.rest, own.rest)),
  );
  const among = klDivergence(g, given.others, own.others);
  const perRow = g.add(g.mul(binary, alpha), g.mul(among, beta));
  return { values: g.mul(perRow, temperature ** 2), weights: rowWeights };

  function sumOf(x: TypedValue): TypedValue {
    return g.reduceSum(x, { axes: [1], keepDims: false });
  }
}

export const dkd = defineObjective({
  kind: 'dkd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      temperature: temperatureOption(4).describe('Softens both distributions.'),
      alpha: z.number().min(0).max(100).default(1).describe('The target class against all others.'),
      beta: z
        .number()
        .min(0)
        .max(100)
        .default(8)
        .describe('The other classes among themselves; the paper takes 8 for CIFAR-100, 0.5 for ImageNet.'),
    })
    .describe(
      "Decoupled distillation (Zhao et al., 2022): the target class and the other classes weighed apart. The target is the label, or the teacher's first class where there is none.",
    ),
  answers: ({ output }, context) => [namesFor('dkd', output, context).tap],
  term({ weight, output, ...options }, context) {
    const names = namesFor('dkd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, teacher, classLabels, rowWeights } = answerMatrix(g, inputs, names);
        return decoupledKd(g, {
          ...options,
          student: answers,
          teacher: teacher(),
          labels: classLabels(),
          rowWeights: rowWeights(),
        });
      },
    };
  },
});
