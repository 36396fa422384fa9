import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { AttentionMap } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { divergence, safeLog } from './divergence.ts';
import { type LayerPart, layerPairs, sharedLoss, type TaughtPart } from './layer-pairs.ts';
import { defineObjective, type ObjectiveContext, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { contextOf } from './required-models.ts';
import { requireSameFrames } from './same-frames.ts';
import { ATTENTION_MASK, maskAmong, meanOverTokens } from './token-mean.ts';

export interface AttentionDivergenceInputs {
  /** After the Softmax: float32 [B, T, T], or [B, heads, T, T]. */
  student: TypedValue;
  /** The same shape; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B, T]: 1 for a token, 0 for padding; all count when absent. */
  mask?: TypedValue | undefined;
  /** How much each head counts, a mean of 1; all alike when absent. */
  headWeights?: readonly number[] | undefined;
}

/**
 * KL divergence from the teacher's attention to the student's, in nats, the mean over query tokens (and heads): [B].
 *
 * Wang et al., "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers"
 * (2020), equation 6.
 */
export function attentionDivergence(
  g: GraphBuilder,
  { student, teacher, mask, headWeights }: AttentionDivergenceInputs,
): TypedValue {
  const perQuery = divergence(g, teacher, safeLog(g, student));
  const queries = perQuery.shape.length > 2 ? meanOverHeads(g, perQuery, headWeights) : perQuery;
  return meanOverTokens(g, queries, mask);
}

const ATTENTION: LayerPart<AttentionMap> = { title: 'attention maps', of: ({ attention }) => attention };

type Heads = 'each' | 'mean';

export const attention = defineObjective({
  kind: 'attention',
  level: 'token',
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      heads: z
        .enum(['each', 'mean'])
        .default('mean')
        .describe(
          'Whether the mean over heads is compared, or each head with the same one of the teacher (as many on both sides).',
        ),
    })
    .describe("KL divergence from the teacher's attention distributions (Wang et al., 2020, eq. 6)."),
  knowledge: ({ heads, output }, context) =>
    pairsOf(heads, contextOf(context, 'attention', output)).map(({ teacher: map }) => ({
      tap: tapOf(heads, map),
      build(g, teacher) {
        const value = teacher.value(map.probabilities);
        return heads === 'mean' ? meanOverHeads(g, value, map.headWeights) : value;
      },
    })),
  term({ weight, heads, output }, context) {
    const pairs = pairsOf(heads, contextOf(context, 'attention', output));
    const names = namesFor('attention', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const values = sharedLoss(g, pairs, ({ student, teacher }) => {
          const own = inputs.student(student.probabilities);
          const mask = maskAmong(g, { has: inputs.has, value: inputs.student }, own);
          const places = mask && inputs.has(ATTENTION_MASK) ? 'sequence' : (own.shape[2] as number);
          const dims = [places, places];
          return attentionDivergence(g, {
            student: heads === 'mean' ? meanOverHeads(g, own) : own,
            teacher: inputs.knowledge(
              tapOf(heads, teacher),
              heads === 'mean' ? dims : [teacher.heads, ...dims],
            ),
            mask,
            headWeights: teacher.headWeights,
          });
        });
        return { values, weights: rowWeightsIn(inputs, names) };
      },
    };
  },
});

/** [B, heads, ...] -> [B, ...] */
function meanOverHeads(g: GraphBuilder, value: TypedValue, weights?: readonly number[]): TypedValue {
  const weighted = weights
    ? g.mul(value, g.constant(float32([...weights], [weights.length, ...value.shape.slice(2).map(() => 1)])))
    : value;
  return g.reduceMean(weighted, { axes: [1], keepDims: false });
}

/** An attention map, and what the knowledge graph says of its heads. */
interface WeighedMap extends AttentionMap {
  readonly headWeights?: readonly number[] | undefined;
}

function tapOf(heads: Heads, { probabilities, headWeights }: WeighedMap): string {
  const weights = heads === 'mean' && headWeights ? `(${headWeights.join(' ')})` : '';
  return `attention/${heads}${weights}/${probabilities}`;
}

function pairsOf(heads: Heads, context: ObjectiveContext): TaughtPart<WeighedMap>[] {
  const pairs = layerPairs(context, 'attention', ATTENTION);
  requireSameFrames('attention', pairs, ({ probabilities }) => probabilities);
  const unlike = heads === 'each' && pairs.find(({ student, teacher }) => student.heads !== teacher.heads);
  if (!unlike)
    return pairs.map(({ teacher, ...pair }) => ({ ...pair, teacher: withHeadWeights(teacher, context) }));
  const { student, teacher } = unlike;
  throw new LimbeckError(
    'recipe.invalid',
    `the student has ${student.heads} heads and the teacher ${teacher.heads}: they cannot be compared one by one`,
    {
      where: `objective.attention.heads; ${student.probabilities} and ${teacher.probabilities}`,
      remedy:
        'Set heads to mean, or weigh objective.valueRelations, which head counts do not matter to (`limbeck inspect MODEL` lists them).',
    },
  );
}

/** Two digits of each weight: what is kept of the teacher depends on them, and is found again by them. */
function withHeadWeights(map: AttentionMap, { models }: ObjectiveContext): WeighedMap {
  const layer = models?.teacher.layers.findIndex(({ attention }) => attention === map) ?? -1;
  const weights = models?.headWeights?.[layer];
  if (weights?.length !== map.heads) return map;
  return { ...map, headWeights: weights.map((weight) => Number(weight.toFixed(2))) };
}
