import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { temperatureOption } from './kd-logits.ts';
import { defineObjective, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { softened } from './soft-targets.ts';
import { sumsInParts } from './sums-in-parts.ts';
import { clipOption, clipped, isAsked, perWeight, tokenAnswers } from './token-classes.ts';

/** How two distributions are compared: P the teacher's, Q the student's. */
export const DIVERGENCES = [
  'kl',
  'reverse-kl',
  'skew-kl',
  'skew-reverse-kl',
  'js',
  'total-variation',
] as const;
export type Divergence = (typeof DIVERGENCES)[number];

/** The part of the teacher (of the student in `skew-reverse-kl`) in the mixture, as the papers have it where they name one. */
const USUAL_MIX = { 'skew-kl': 0.1, 'skew-reverse-kl': 0.1, js: 0.5 } as const;

/**
 * The divergence of two distributions along the last axis, which goes away, in nats; with M a mixture of P and Q:
 *
 * - `kl`: KL(P || Q). `reverse-kl`: KL(Q || P), which rather leaves out what the teacher says than adds what it does not
 *   (Gu et al., "MiniLLM", 2024, arXiv 2306.08543, section 2.1).
 * - `skew-kl`: KL(P || mix P + (1 - mix) Q). `skew-reverse-kl`: KL(Q || (1 - mix) P + mix Q). Their gradients are bounded
 *   (Ko et al., "DistiLLM", 2024, arXiv 2402.03898, section 3.1).
 * - `js`: mix KL(P || M) + (1 - mix) KL(Q || M), M = mix P + (1 - mix) Q, the generalised Jensen-Shannon divergence: towards KL
 *   where mix is near 0, towards reverse KL near 1 (Agarwal et al., "On-Policy Distillation of Language Models", 2024, arXiv
 *   2306.13649, equation 1).
 * - `total-variation`: half the sum of |P - Q|, 0 to 1 (Wen et al., "f-Divergence Minimization for Sequence-Level Knowledge
 *   Distillation", 2023, section 3.4).
 *
 * @param teacher log-probabilities, float32 [..., C]
 * @param student log-probabilities, float32 [..., C]
 * @param mix strictly between 0 and 1; not looked at where there is no mixture
 */
export function divergenceOf(
  g: GraphBuilder,
  kind: Divergence,
  {
    teacher,
    student,
    mix,
  }: { readonly teacher: TypedValue; readonly student: TypedValue; readonly mix: number },
): TypedValue {
  const over = (x: TypedValue) => g.reduceSum(x, { axes: [-1], keepDims: false });
  const kl = (from: TypedValue, to: TypedValue) => over(g.mul(g.exp(from), g.sub(from, to)));
  switch (kind) {
    case 'kl':
      return kl(teacher, student);
    case 'reverse-kl':
      return kl(student, teacher);
    case 'skew-kl':
      return kl(teacher, logMixture(g, teacher, student, mix));
    case 'skew-reverse-kl':
      return kl(student, logMixture(g, student, teacher, mix));
    case 'js': {
      const middle = logMixture(g, teacher, student, mix);
      return g.add(g.mul(kl(teacher, middle), mix), g.mul(kl(student, middle), 1 - mix));
    }
    case 'total-variation':
      return g.mul(over(g.abs(g.sub(g.exp(teacher), g.exp(student)))), 0.5);
  }
}

/** log(mix e^a + (1 - mix) e^b), finite wherever a and b are. */
function logMixture(g: GraphBuilder, a: TypedValue, b: TypedValue, mix: number): TypedValue {
  const [first, second] = [g.add(a, Math.log(mix)), g.add(b, Math.log(1 - mix))];
  return g.add(first, g.op('Softplus', [g.sub(second, first)]));
}

export interface TokenDivergenceInputs {
  /** float32 [B, T, C] */
  student: TypedValue;
  /** float32 [B, T, C]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B, T] */
  tokenWeights: TypedValue;
  temperature: number;
  divergence: Divergence;
  mix: number;
  /** Of a token's loss, in nats; none when absent. */
  clip?: number | undefined;
  /** As in `sumsInParts`. */
  part?: number;
}

/**
 * tau^2 times the divergence of each token's distributions, each softened by tau; rows as for `tokenCrossEntropy`. Its gradient is
 * computed with it, part by part of the tokens (`sumsInParts`): it has no second derivatives.
 */
export function tokenDivergence(
  g: GraphBuilder,
  { student, teacher, tokenWeights, temperature, divergence, mix, clip, part }: TokenDivergenceInputs,
): RowLosses {
  const lossOf = (own: TypedValue, [given]: readonly TypedValue[]) => {
    const told = softened(g, given as TypedValue, temperature);
    const said = softened(g, own, temperature);
    const perToken = divergenceOf(g, divergence, { teacher: told, student: said, mix });
    return clipped(g, g.mul(perToken, temperature ** 2), clip);
  };
  const sums = sumsInParts(g, { logits: student, others: [teacher], weights: tokenWeights, part }, lossOf);
  return perWeight(g, sums, tokenWeights);
}

export const tokenDivergences = defineObjective({
  kind: 'tokenDivergence',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      divergence: z
        .enum(DIVERGENCES)
        .default('reverse-kl')
        .describe(
          'How the distributions of teacher and student are compared; kl is what tokenKd and nextTokenKd do.',
        ),
      mix: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe(
          "The teacher's part in the mixture of skew-kl (0.1 when absent) and js (0.5), the student's in that of skew-reverse-kl (0.1).",
        ),
      clip: clipOption,
      temperature: temperatureOption(1).describe('Softens both distributions.'),
    })
    .refine(({ divergence, mix }) => mix === undefined || divergence in USUAL_MIX, {
      path: ['mix'],
      error: ({ input }) =>
        `${(input as { divergence: string }).divergence} has no mixture: leave it out, or choose one of ${Object.keys(USUAL_MIX).join(', ')}`,
    })
    .describe(
      "A divergence of the student's distribution of each token from the teacher's, the mean over all tokens of a batch that are asked for. Of language models all logits have to be kept (outputs.NAME.keep: all).",
    ),
  answers: ({ output }, context) => [namesFor('tokenDivergence', output, context).tap],
  term({ weight, output, divergence, mix, clip, temperature }, context) {
    const names = namesFor('tokenDivergence', output, context);
    const where = `objective ${names.term}`;
    const head = context.heads?.find((one) => one.output === names.output);
    if (head?.kept) {
      throw new LimbeckError(
        'recipe.invalid',
        `${divergence} needs the whole of the teacher's distribution`,
        {
          where: `${where}, output '${names.output}', of which ${head.kept.title} are kept`,
          remedy: `Keep all logits (outputs.${names.output}.keep: all), or weigh nextTokenKd.`,
        },
      );
    }
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { logits, dims, tokenWeights } = tokenAnswers(g, inputs, names);
        const meaning = `the teacher's answer for '${names.output}'`;
        const teacher = inputs.input(`knowledge/${names.tap}`, 'float32', dims, meaning);
        const asked = head?.target.readsDocuments ? nextAsked() : undefined;
        const counted = asked ? g.mul(tokenWeights, asked) : tokenWeights;
        return tokenDivergence(g, {
          student: logits,
          teacher,
          tokenWeights: counted,
          temperature,
          divergence,
          clip,
          mix: mix ?? USUAL_MIX[divergence as keyof typeof USUAL_MIX] ?? 0.5,
        });

        /** 1 where the token that comes next is asked for. */
        function nextAsked(): TypedValue {
          const labels = inputs.input(names.labels, 'int32', dims.slice(0, 2), NEXT);
          return isAsked(g, labels);
        }
      },
    };
  },
});

const NEXT = 'the token that comes next; -1 where none is asked for, -2 where the teacher alone is';
