import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { klDivergence, softened } from './soft-targets.ts';

export interface MultiLevelInputs {
  /** float32 [B, C] */
  student: TypedValue;
  /** float32 [B, C] */
  teacher: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
  temperatures: readonly number[];
  /** How much each level counts. */
  instance: number;
  batch: number;
  class: number;
}

/**
 * The class probabilities p [B, C] compared at three levels, each the mean over several temperatures:
 * instance, tau^2 KL(p_t, p_s) of a row; batch, |p_t p_t' - p_s p_s'|^2 / B, which samples are alike; class,
 * |p_t' p_t - p_s' p_s|^2 / C, which classes are taken for each other.
 *
 * Both matrices are sums over the rows, and each row is told its part. (The paper adds its temperatures; a mean keeps
 * the size of the term when there are more.)
 *
 * Jin, Wang and Lin, "Multi-Level Logit Distillation" (2023), section 3.
 */
export function multiLevelKd(g: GraphBuilder, inputs: MultiLevelInputs): RowLosses {
  const { student, teacher, rowWeights, temperatures } = inputs;
  const losses = temperatures.map((temperature) => {
    const given = softened(g, teacher, temperature);
    const own = softened(g, student, temperature);
    const instance = g.mul(klDivergence(g, given, own), temperature ** 2);
    const [p, q] = [g.exp(own), g.exp(given)];
    return [
      ...(inputs.instance > 0 ? [g.mul(instance, inputs.instance)] : []),
      ...(inputs.batch > 0 ? [g.mul(ofBatch(g, p, q, rowWeights), inputs.batch)] : []),
      ...(inputs.class > 0 ? [g.mul(ofClasses(g, p, q, rowWeights), inputs.class)] : []),
    ].reduce((sum, level) => g.add(sum, level));
  });
  const sum = losses.reduce((total, loss) => g.add(total, loss));
  return { values: g.mul(sum, 1 / temperatures.length), weights: rowWeights };
}

/** For each row, the squared differences of its products with the rows that count: [B]. */
function ofBatch(g: GraphBuilder, p: TypedValue, q: TypedValue, rowWeights: TypedValue): TypedValue {
  const products = (x: TypedValue) => g.gemm(x, x, null, { transB: true });
  const squares = g.square(g.sub(products(q), products(p)));
  return g.squeeze(g.matMul(squares, g.unsqueeze(rowWeights, [1])), [1]);
}

/** For each row, its part of the squared differences of the sums of p' p, times the number of rows that count: [B]. */
function ofClasses(g: GraphBuilder, p: TypedValue, q: TypedValue, rowWeights: TypedValue): TypedValue {
  const classes = p.shape[1] as number;
  const weights = g.unsqueeze(rowWeights, [1]);
  const products = (x: TypedValue) => g.gemm(x, g.mul(x, weights), null, { transA: true });
  const difference = g.sub(products(p), products(q));
  const part = (x: TypedValue) =>
    g.reduceSum(g.mul(g.matMul(x, difference), x), { axes: [1], keepDims: false });
  const count = g.max(g.reduceSum(rowWeights, { keepDims: false }), 1);
  return g.mul(g.sub(part(p), part(q)), g.div(count, classes));
}

const level = z.number().min(0).max(100).default(1);

export const mlkd = defineObjective({
  kind: 'mlkd',
  level: 'task',
  relatesRows: true,
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      temperatures: z
        .array(z.number().min(0.1).max(100))
        .min(1)
        .max(16)
        .default([2, 3, 4, 5, 6])
        .describe('Softens both distributions; the loss is the mean over all of them.'),
      instance: level.describe('How much the classes of a sample count.'),
      batch: level.describe('How much the likeness of samples counts.'),
      class: level.describe('How much the likeness of classes counts.'),
    })
    .refine(({ instance, batch, class: classes }) => instance + batch + classes > 0, {
      error: 'all levels are 0: nothing would be compared',
    })
    .describe('Class probabilities compared by sample, batch and class (MLKD, Jin et al., 2023).'),
  answers: ({ output }, context) => [namesFor('mlkd', output, context).tap],
  term({ weight, output, ...options }, context) {
    const names = namesFor('mlkd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, teacher, rowWeights } = answerMatrix(g, inputs, names);
        return multiLevelKd(g, {
          ...options,
          student: answers,
          teacher: teacher(),
          rowWeights: rowWeights(),
        });
      },
    };
  },
});
