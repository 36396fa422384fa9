import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { ModelLayer } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import {
  type AlignmentInputs,
  cosineDistance,
  learnedProjection,
  normalizedDistance,
  squaredDistance,
  unitScale,
} from './alignment.ts';
import { type LayerPart, layerPairs, sharedLoss, type TaughtPart } from './layer-pairs.ts';
import { defineObjective, type ObjectiveContext, termWeight } from './objective.ts';
import { namesFor, outputOption, rowWeightsIn } from './output-names.ts';
import { contextOf } from './required-models.ts';
import { requireSameFrames } from './same-frames.ts';
import { ATTENTION_MASK, maskAmong, meanOverTokens } from './token-mean.ts';

type HiddenState = NonNullable<ModelLayer['hidden']>;

const HIDDEN: LayerPart<HiddenState> = { title: 'hidden states', of: ({ hidden }) => hidden };

/** How two vectors are compared: what is kept of the teacher's, and the distance to it. */
interface Comparison {
  /** Part of the tap's name. */
  readonly name: string;
  keep(g: GraphBuilder, hidden: TypedValue): TypedValue;
  distance(g: GraphBuilder, inputs: AlignmentInputs): TypedValue;
}

const RAW: Comparison = { name: 'raw', keep: (_, hidden) => hidden, distance: squaredDistance };
const NORMALIZED: Comparison = {
  name: 'normalized',
  keep: (g, hidden) => unitScale(g, hidden, true),
  distance: normalizedDistance,
};
const COSINE: Comparison = {
  name: 'direction',
  keep: (g, hidden) => unitScale(g, hidden, false),
  distance: cosineDistance,
};

const options = z
  .strictObject({
    weight: termWeight(0),
    output: outputOption,
    distance: z
      .enum(['mse', 'cosine'])
      .default('mse')
      .describe('The mean squared difference, or 1 - cosine of the angle between the vectors.'),
    normalize: z
      .boolean()
      .default(true)
      .describe(
        'Whether both sides are layer-normalised before the squared difference, so that neither a layer with large values nor a teacher with a scale of its own outweighs the rest. The cosine has no scale anyway.',
      ),
    projection: z
      .enum(['auto', 'none'])
      .default('auto')
      .describe(
        'auto learns a matrix from the width of the student to that of the teacher where they differ; none forbids it.',
      ),
  })
  .describe(
    'Distance of hidden states, token by token, after a learned projection where widths differ (Jiao et al., 2020).',
  );

type Options = z.output<typeof options>;

/**
 * The distance of the student's hidden states h_s [B, T, widthS] from the teacher's h_t [B, T, widthT], for each pair of
 * the layer map, the mean over tokens: |norm(h_s W) - norm(h_t)|^2 / widthT with a learned W [widthS, widthT].
 *
 * Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding" (2020), equation 8; the cosine is that of
 * Sanh et al., "DistilBERT" (2019), section 3.
 *
 * @throws LimbeckError `recipe.invalid` for widths that differ when projections are forbidden
 */
export const hidden = defineObjective({
  kind: 'hidden',
  level: 'sequence',
  options,
  knowledge(options, context) {
    const { name, keep } = comparisonOf(options);
    return pairsOf(options, context).map(({ teacher: state }) => ({
      tap: `hidden/${name}/${state.name}`,
      build: (g, teacher) => keep(g, teacher.value(state.name)),
    }));
  },
  term(options, context) {
    const pairs = pairsOf(options, context);
    const names = namesFor('hidden', options.output, context);
    const { name, distance } = comparisonOf(options);
    return {
      name: names.term,
      weight: options.weight,
      build(g, inputs) {
        const values = sharedLoss(g, pairs, ({ student, teacher }) => {
          const widths = [student.width, teacher.width] as const;
          const own = inputs.student(student.name);
          const mask = maskAmong(g, { has: inputs.has, value: inputs.student }, own);
          const places = mask && inputs.has(ATTENTION_MASK) ? 'sequence' : (own.shape[1] as number);
          const perToken = distance(g, {
            student: own,
            teacher: inputs.knowledge(`hidden/${name}/${teacher.name}`, [places, teacher.width]),
            projection: learnedProjection(inputs, `hidden/${student.name}/${teacher.name}`, widths),
          });
          return meanOverTokens(g, perToken, mask);
        });
        return { values, weights: rowWeightsIn(inputs, names) };
      },
    };
  },
});

function comparisonOf({ distance, normalize }: Options): Comparison {
  if (distance === 'cosine') return COSINE;
  return normalize ? NORMALIZED : RAW;
}

function pairsOf({ projection, output }: Options, context: ObjectiveContext): TaughtPart<HiddenState>[] {
  const pairs = layerPairs(contextOf(context, 'hidden', output), 'hidden', HIDDEN);
  requireSameFrames('hidden', pairs, ({ name }) => name);
  const unlike =
    projection === 'none' && pairs.find(({ student, teacher }) => student.width !== teacher.width);
  if (!unlike) return pairs;
  const { student, teacher } = unlike;
  throw new LimbeckError(
    'recipe.invalid',
    `hidden states of width ${student.width} and ${teacher.width} cannot be compared without a projection`,
    {
      where: `objective.hidden.projection is none; ${student.name} and ${teacher.name}`,
      remedy:
        'Set projection to auto, give the student the width of the teacher, or weigh objective.similarity or objective.cka, which need none (`limbeck inspect MODEL` lists widths).',
    },
  );
}
