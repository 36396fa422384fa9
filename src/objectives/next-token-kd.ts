import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KeptForm } from '../targets/kept-form.ts';
import { temperatureOption } from './kd-logits.ts';
import { defineObjective, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import {
  clipOption,
  clipped,
  isAsked,
  meanOverTokens,
  tokenAnswers,
  tokenKdLogits,
} from './token-classes.ts';

export interface KeptKdInputs {
  /** float32 [B, T, V] */
  logits: TypedValue;
  /** float32 [B, T, 2 entries]: ids, then weights (`KeptForm`). */
  kept: TypedValue;
  kind: KeptForm['kind'];
}

/** Probabilities are kept away from 0 and 1 by this much where logarithms are taken of what is left of them. */
const LEAST = 1e-6;

/**
 * How far the student is from what is kept of the teacher's answers, for each token, in nats, float32 [B, T].
 *
 * Of the likeliest tokens: KL divergence over these and one more class, all others together. Of drawn ones: minus the sum of
 * weights times the student's log-probabilities, whose mean over draws is the cross-entropy with the whole distribution (Anshumann
 * et al., arXiv 2503.16870, equation 4); it differs from the KL divergence by the teacher's entropy, which no gradient sees.
 */
export function keptDivergence(g: GraphBuilder, { logits, kept, kind }: KeptKdInputs): TypedValue {
  const entries = (kept.shape[2] as number) / 2;
  const ids = g.cast(g.slice(kept, 2, 0, entries), 'int64');
  const weights = g.slice(kept, 2, entries, 2 * entries);
  const own = g.gatherElements(g.logSoftmax(logits), ids, 2);
  const over = (x: TypedValue) => g.reduceSum(x, { axes: [2], keepDims: false });
  if (kind === 'sampled') return g.neg(over(g.mul(weights, own)));
  const known = over(g.mul(weights, g.sub(g.log(g.max(weights, LEAST)), own)));
  const left = (probabilities: TypedValue) => g.max(g.sub(1, over(probabilities)), LEAST);
  const [theirs, ours] = [left(weights), left(g.exp(own))];
  return g.add(known, g.mul(theirs, g.sub(g.log(theirs), g.log(ours))));
}

export const nextTokenKd = defineObjective({
  kind: 'nextTokenKd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      clip: clipOption,
      temperature: temperatureOption(1).describe(
        'Softens both distributions; only where all logits are kept (keep: all).',
      ),
    })
    .describe(
      'KL divergence to what the teacher says comes next, by what is kept of it (outputs.NAME.keep), the mean over all tokens of a batch.',
    ),
  answers: ({ output }, context) => [namesFor('nextTokenKd', output, context).tap],
  term({ weight, output, temperature, clip }, context) {
    const names = namesFor('nextTokenKd', output, context);
    const kept = context.heads?.find((head) => head.output === names.output)?.kept;
    if (kept && temperature !== 1) {
      throw new LimbeckError(
        'recipe.invalid',
        `${kept.title} are kept as the teacher says them, not softened`,
        {
          where: `objective ${names.term}.temperature`,
          remedy: `Leave it out, or keep all logits (outputs.${names.output}.keep: all).`,
        },
      );
    }
    if (kept?.kind === 'sampled' && clip !== undefined) {
      throw new LimbeckError('recipe.invalid', `what ${kept.title} give is no divergence, and has no bound`, {
        where: `objective ${names.term}.clip`,
        remedy: `Leave it out, or keep the likeliest tokens or all logits (outputs.${names.output}.keep).`,
      });
    }
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { logits, dims, tokenWeights } = tokenAnswers(g, inputs, names);
        const meaning = `what is kept of the teacher's answer for '${names.output}'`;
        const told = [dims[0], dims[1], kept ? kept.width : dims[2]] as number[];
        const teacher = inputs.input(`knowledge/${names.tap}`, 'float32', told, meaning);
        const labels = inputs.input(names.labels, 'int32', told.slice(0, 2), NEXT);
        const asked = g.mul(tokenWeights, isAsked(g, labels));
        if (!kept)
          return tokenKdLogits(g, { student: logits, teacher, tokenWeights: asked, temperature, clip });
        const perToken = keptDivergence(g, { logits, kept: teacher, kind: kept.kind });
        return meanOverTokens(g, clipped(g, perToken, clip), asked);
      },
    };
  },
});

const NEXT = 'the token that comes next; -1 where none is asked for, -2 where the teacher alone is';
