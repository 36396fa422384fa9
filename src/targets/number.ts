import { z } from 'zod';
import { DECIMAL_MARKS } from '../data/labels/written-numbers.ts';
import { pearsonCorrelation, spearmanCorrelation } from '../metrics/correlation.ts';
import { mae, rmse } from '../metrics/regression-error.ts';
import { A_NUMBER } from './inner/numbers.ts';
import { type NumberSpace, numberTruth } from './numbers-truth.ts';
import { defineTarget } from './target.ts';

const options = z
  .object({
    decimal: z
      .enum(DECIMAL_MARKS)
      .optional()
      .describe(
        "What stands before decimals in texts: with `','`, 1.250,5 is 1250.5; with `'.'`, 1,250.5 is. When absent, numbers without divided thousands are read, with a point.",
      ),
  })
  .describe('A number a sample (regression), in the unit that the data have.');

/**
 * A number: output float32 [batch, 1]. The layer is told the mean and the spread of the data's numbers, so that what it
 * learns is of the size of one, in whatever unit they are.
 */
export const number = defineTarget({
  kind: 'number',
  title: 'a number',
  options,
  features: 'pooled',
  truth: ({ decimal }) => numberTruth({ ...(decimal && { decimal }) }),
  attach(g, _make, features, { space, scope }) {
    const { mean, deviation } = space as NumberSpace;
    return g.add(g.mul(features.project(scope, 1), deviation), mean);
  },
  objective: { labels: { mse: 0.3 }, teacher: { mseKd: 0.7 } },
  metrics: ({ labels, weights }) => [
    rmse({ labels, weights }),
    mae({ labels, weights }),
    pearsonCorrelation({ labels, weights }),
    spearmanCorrelation({ labels, weights }),
  ],
  spread: (space) => (space as NumberSpace).deviation,
  inner: A_NUMBER,
  example: { mean: 0, deviation: 1 },
  selection: 'rmse',
  encoding: 'float32',
  config: () => ({ problem_type: 'regression', id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } }),
});
