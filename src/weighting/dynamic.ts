import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { type ObjectiveInputs, weightedMean } from '../objectives/objective.ts';
import { MAIN_OUTPUT } from '../objectives/output-names.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { complexity, divergence } from './causes.ts';
import { weightMetrics } from './weight-metrics.ts';
import type { StepWeighting } from './weighting.ts';

/** What is trained of dynamic weights: a number for each term, by the cause that it multiplies. */
export const COEFFICIENTS = ['alpha', 'beta', 'gamma'] as const;
export type Coefficient = (typeof COEFFICIENTS)[number];

/** The step's input that holds a coefficient of all terms, float32 [terms]. */
export function coefficientInput(coefficient: Coefficient): string {
  return `weighting/${coefficient}`;
}

/** The step's input that tells how far each term has lowered the validation loss of late, float32 [terms]. */
export const EFFECT_INPUT = 'weighting/effect';

export interface DynamicWeightsOptions {
  /** The terms that have coefficients, in their order there: those of all stages of a training. */
  readonly names: readonly string[];
  readonly classes: number;
}

/**
 * W = 2 sigmoid(alpha C + beta D + gamma E) for each term, and for each row where the term tells its rows: C is the
 * teacher's entropy (`complexity`), D how far student and teacher are apart (`divergence`), E what the term has done for
 * the validation loss of late. With alpha = beta = gamma = 0 every factor is 1: the start is the recipe's weights, and a
 * term counts at most twice as much. No gradient flows through W to the student.
 *
 * Metrics: `weight/TERM`, `cause/complexity`, `cause/divergence`, `cause/effect/TERM`.
 */
export function dynamicWeights({ names, classes }: DynamicWeightsOptions): StepWeighting {
  return {
    weigh(g, terms, inputs) {
      if (!inputs.has(MAIN_OUTPUT)) throw withoutClasses();
      const teacher = inputs.knowledge('logits', [classes]);
      const rowWeights = inputs.rowWeights();
      const causes = { C: complexity(g, teacher), D: divergence(g, inputs.student('logits'), teacher) };
      const means = {
        C: weightedMean(g, causes.C, rowWeights),
        D: weightedMean(g, causes.D, rowWeights),
      };
      const settings = { alpha: vector('alpha'), beta: vector('beta'), gamma: vector('gamma') };
      const effect = inputs.input(EFFECT_INPUT, 'float32', [names.length]);
      const effects = terms.map(({ name }) => ofTerm(g, effect, name));
      const factors = terms.map(({ name, rows }, i) => {
        const { C, D } = rows ? causes : means;
        const [alpha, beta, gamma] = COEFFICIENTS.map((coefficient) =>
          ofTerm(g, settings[coefficient], name),
        ) as [TypedValue, TypedValue, TypedValue];
        const sum = g.add(g.add(g.mul(C, alpha), g.mul(D, beta)), g.mul(gamma, effects[i] as TypedValue));
        return g.mul(g.sigmoid(sum), 2);
      });
      return {
        factors,
        metrics: new Map([
          ...weightMetrics(g, terms, factors, rowWeights),
          ['cause/complexity', means.C],
          ['cause/divergence', means.D],
          ...terms.map(({ name }, i) => [`cause/effect/${name}`, effects[i] as TypedValue] as const),
        ]),
      };

      function vector(coefficient: Coefficient): TypedValue {
        return coefficientVector(inputs, coefficient, names.length);
      }
    },
  };

  /** A term's element of a vector over all terms, float32 []. */
  function ofTerm(g: GraphBuilder, vector: TypedValue, name: string): TypedValue {
    const place = names.indexOf(name);
    if (place < 0) throw new Error(`dynamic weights were made for ${names.join(', ')}, not for ${name}`);
    return g.squeeze(g.slice(vector, 0, place, place + 1), [0]);
  }
}

function withoutClasses(): LimbeckError {
  return new LimbeckError(
    'recipe.invalid',
    'dynamic weights follow how certain the teacher is about classes, and this student answers none',
    {
      where: 'weighting.kind',
      remedy: 'Take gradient-norms, uncertainty or fixed weights, which need no classes.',
    },
  );
}

/** A coefficient of all terms as it goes into a step. */
export function coefficientVector(
  inputs: ObjectiveInputs,
  coefficient: Coefficient,
  terms: number,
): TypedValue {
  return inputs.input(coefficientInput(coefficient), 'float32', [terms]);
}

export const dynamic = {
  kind: 'dynamic',
  options: z
    .strictObject({
      every: z
        .int()
        .positive()
        .default(10)
        .describe('Steps between two steps of alpha, beta and gamma; one costs two to four training steps.'),
      learningRate: z
        .number()
        .positive()
        .max(10)
        .default(0.05)
        .describe('Of alpha, beta and gamma (Adam): about how far each goes in one of their steps.'),
      limit: z
        .number()
        .positive()
        .max(100)
        .default(5)
        .describe('alpha, beta and gamma stay between -limit and limit.'),
      memory: z
        .number()
        .min(0)
        .lt(1)
        .default(0.9)
        .describe("What is kept of a term's effect when it is measured anew."),
    })
    .describe(
      'W = 2 sigmoid(alpha C + beta D + gamma E) for each term and sample: entropy of the teacher, distance of student and teacher, effect on the validation loss; alpha, beta and gamma are trained on the validation split (docs/dynamic-weights.md).',
    ),
} as const;

/** The options of dynamic weights as a recipe gives them. */
export type DynamicWeightingOptions = z.output<(typeof dynamic)['options']>;
