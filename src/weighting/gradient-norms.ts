import { z } from 'zod';
import { weightMetrics } from './weight-metrics.ts';
import type { StepWeighting } from './weighting.ts';

/** The step's input that holds the factors of all terms, float32 [terms]. */
export const FACTORS_INPUT = 'weighting/factors';

/** A factor lies between 1/LIMIT and LIMIT. */
const LIMIT = 100;

/** Factors that are decided outside of the step; `names` are the terms of all stages, in the input's order. */
export function givenFactors(names: readonly string[]): StepWeighting {
  return {
    weigh(g, terms, inputs) {
      const all = inputs.input(FACTORS_INPUT, 'float32', [names.length]);
      const factors = terms.map(({ name }) => {
        const place = names.indexOf(name);
        if (place < 0) throw new Error(`factors were made for ${names.join(', ')}, not for ${name}`);
        return g.squeeze(g.slice(all, 0, place, place + 1), [0]);
      });
      return { factors, metrics: weightMetrics(g, terms, factors, inputs.rowWeights()) };
    },
  };
}

/** A term, and how hard it pulls. */
export interface TermNorm {
  /** Of the recipe. */
  readonly weight: number;
  /** Of its gradient with that weight. */
  readonly norm: number;
}

/**
 * The factors with which all terms pull equally hard, or in the proportion of the recipe's weights; all together as hard
 * as before. A term without a gradient keeps the factor 1.
 *
 * Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks" (2018),
 * section 3, without its training rates (alpha = 0 in equation 2), and solved instead of followed by gradients.
 */
export function balancedFactors(terms: readonly TermNorm[], proportion: 'equal' | 'recipe'): number[] {
  const pulling = terms.filter(({ norm }) => norm > 0);
  const share = ({ weight }: TermNorm) => (proportion === 'equal' ? 1 : weight);
  const total = pulling.reduce((sum, { norm }) => sum + norm, 0);
  const shares = pulling.reduce((sum, term) => sum + share(term), 0);
  return terms.map((term) => {
    if (!(term.norm > 0)) return 1;
    const factor = (total * share(term)) / shares / term.norm;
    return Math.min(LIMIT, Math.max(1 / LIMIT, factor));
  });
}

export const gradientNorms = {
  kind: 'gradient-norms',
  options: z
    .strictObject({
      proportion: z
        .enum(['equal', 'recipe'])
        .default('equal')
        .describe("Whether terms pull equally hard or as the recipe's weights say."),
      memory: z
        .number()
        .min(0)
        .lt(1)
        .default(0.5)
        .describe('What is kept of the factors when the norms are measured anew, at each evaluation.'),
    })
    .describe('Balances the gradient norms of the terms (Chen et al., 2018).'),
} as const;

/** The options of balanced gradient norms as a recipe gives them. */
export type GradientNormsOptions = z.output<(typeof gradientNorms)['options']>;
