import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { weightMetrics } from './weight-metrics.ts';
import type { StepWeighting } from './weighting.ts';

/** Log-variances stay between -LIMIT and LIMIT: a term counts between 1/55 and 55 times of what the recipe says. */
const LIMIT = 4;

/**
 * Each term's weight is 1 / sigma^2 of a noise that is trained with the student: factor exp(-s) with s = ln sigma^2,
 * and s / 2 added to the loss, so that no weight vanishes. s is 0 at first: the recipe's weights.
 *
 * Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses" (2018), section 3.2, equation 7
 * without its factor 1/2 (of which the recipe's weights take the place).
 */
export function uncertaintyWeights(): StepWeighting {
  return {
    weigh(g, terms, inputs) {
      const logVariances = terms.map(({ name }) => {
        // A matrix: vectors are joined with the student's, whose optimizer state a later stage could then not find.
        const value = inputs.parameter(`log_variance/${name}`, [1, 1], () => Float32Array.of(0));
        return g.clip(g.squeeze(value, [0, 1]), -LIMIT, LIMIT);
      });
      const factors = logVariances.map((s) => g.exp(g.neg(s)));
      const sum = logVariances.reduce((total: TypedValue, s) => g.add(total, s));
      return {
        factors,
        penalty: g.mul(sum, 0.5),
        metrics: weightMetrics(g, terms, factors, inputs.rowWeights()),
      };
    },
  };
}

export const uncertainty = {
  kind: 'uncertainty',
  options: z
    .strictObject({})
    .describe('A trained variance for each term, whose inverse weighs it (Kendall et al., 2018).'),
} as const;
