import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { divergence } from './divergence.ts';
import { type LayerPart, layerPairs } from './layer-pairs.ts';
import { defineObjective, type ObjectiveContext, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { contextOf } from './required-models.ts';
import { requireSameFrames } from './same-frames.ts';
import { ATTENTION_MASK, maskAmong, meanOverTokens } from './token-mean.ts';

/** Added to the relation with padding: its probability becomes 0. */
const HIDDEN_SCORE = -1e9;

export interface RelationInputs {
  /** What is attended to: float32 [B, heads, T, width]. */
  values: TypedValue;
  /** float32 [B, T]: 1 for a token, 0 for padding; all count when absent. */
  mask?: TypedValue | undefined;
  /** Groups that the heads' widths are split into anew; it divides heads * width. */
  relationHeads: number;
}

/**
 * How alike the values of tokens are, before the Softmax: V V^T / sqrt(width of a group), padding hidden; float32
 * [B, relationHeads, T, T].
 *
 * Wang et al., "MiniLM" (2020), equations 7 and 8; the groups that are not heads are those of Wang et al., "MiniLMv2:
 * Multi-Head Self-Attention Relation Distillation for Compressing Pretrained Transformers" (2021), section 3.1.
 *
 * @throws LimbeckError `recipe.invalid` when the groups do not divide the width
 */
export function valueRelationScores(
  g: GraphBuilder,
  { values, mask, relationHeads }: RelationInputs,
): TypedValue {
  const [, heads, , width] = values.shape as number[];
  const whole = heads * width;
  if (whole % relationHeads !== 0) {
    throw new LimbeckError('recipe.invalid', `${relationHeads} groups do not divide a width of ${whole}`, {
      where: `objective.valueRelations.relationHeads; ${values.name}`,
      remedy: "Choose a number that divides the student's and the teacher's width.",
    });
  }
  const size = whole / relationHeads;
  const byToken = () => g.reshape(g.transpose(values, [0, 2, 1, 3]), [0, 0, relationHeads, size]);
  const groups = heads === relationHeads ? values : g.transpose(byToken(), [0, 2, 1, 3]);
  const products = g.matMul(groups, g.transpose(groups, [0, 1, 3, 2]));
  const scores = g.mul(products, 1 / Math.sqrt(size));
  return mask ? g.add(scores, g.unsqueeze(g.mul(g.sub(mask, 1), -HIDDEN_SCORE), [1, 2])) : scores;
}

interface Attended {
  readonly heads: number;
  readonly frames?: number | undefined;
  readonly values: string;
}

const VALUES: LayerPart<Attended> = {
  title: 'values that are attended to',
  of: ({ attention }) =>
    attention?.values === undefined
      ? undefined
      : { heads: attention.heads, frames: attention.frames, values: attention.values },
};

interface Options {
  readonly output?: string | undefined;
  readonly relationHeads?: number | undefined;
}

export const valueRelations = defineObjective({
  kind: 'valueRelations',
  level: 'token',
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      relationHeads: z
        .int()
        .positive()
        .max(256)
        .optional()
        .describe(
          "Groups that the values are split into on both sides; it divides both widths. By default the greatest common divisor of the student's and the teacher's heads.",
        ),
    })
    .describe(
      'KL divergence of the relations between the values of the last pair of layers (Wang et al., 2020, eq. 9).',
    ),
  knowledge(options, context) {
    const { teacher, relationHeads } = lastPair(options, context);
    return [
      {
        tap: tapOf(teacher, relationHeads),
        build(g, graph) {
          const values = graph.value(teacher);
          const mask = maskAmong(g, graph, values);
          return g.softmax(valueRelationScores(g, { values, mask, relationHeads }));
        },
      },
    ];
  },
  term(options, context) {
    const { student, teacher, relationHeads } = lastPair(options, context);
    const names = namesFor('valueRelations', options.output, context);
    return {
      name: names.term,
      weight: options.weight,
      build(g, inputs) {
        const values = inputs.student(student);
        const mask = maskAmong(g, { has: inputs.has, value: inputs.student }, values);
        const scores = valueRelationScores(g, { values, mask, relationHeads });
        const places = mask && inputs.has(ATTENTION_MASK) ? 'sequence' : (values.shape[2] as number);
        const dims = [relationHeads, places, places];
        const target = inputs.knowledge(tapOf(teacher, relationHeads), dims);
        const perQuery = divergence(g, target, g.logSoftmax(scores));
        const queries = g.reduceMean(perQuery, { axes: [1], keepDims: false });
        return { values: meanOverTokens(g, queries, mask), weights: rowWeightsIn(inputs, names) };
      },
    };
  },
});

function tapOf(values: string, relationHeads: number): string {
  return `value-relations/${relationHeads}/${values}`;
}

/** The names of the values of the last pair that has them, and the groups to compare. */
function lastPair({ relationHeads, output }: Options, context: ObjectiveContext) {
  const pairs = layerPairs(contextOf(context, 'valueRelations', output), 'valueRelations', VALUES);
  requireSameFrames('valueRelations', pairs.slice(-1), ({ values }) => values);
  const { student, teacher } = pairs.at(-1)!;
  return {
    student: student.values,
    teacher: teacher.values,
    relationHeads: relationHeads ?? commonDivisor(student.heads, teacher.heads),
  };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
