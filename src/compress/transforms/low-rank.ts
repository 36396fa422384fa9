import { z } from 'zod';
import { defineTransform } from './transform.ts';

const options = z
  .strictObject({
    keep: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.9)
      .describe('How much of each matrix stays, as a part of the sum of its squared singular values.'),
    epochs: z.int().min(0).max(1000).default(2).describe('Passes over the training samples afterwards.'),
  })
  .describe(
    'Matrices and 1x1 convolutions as products of two thinner ones, by their largest singular values.',
  );

/**
 * Puts two thin layers in the place of a wide one, where that is smaller (Denton, Zaremba, Bruna, LeCun and Fergus, "Exploiting
 * Linear Structure Within Convolutional Networks", 2014, section 3.2.1), and trains the student further.
 */
export const lowRank = defineTransform({
  kind: 'low-rank',
  title: 'low-rank factors',
  options,
  epochs: ({ epochs }) => epochs,
  async foresee(student, _, context) {
    // How many values of a matrix count, training tells.
    const { requireMatrices } = await import('../low-rank/factorize.ts');
    requireMatrices(student, context);
    return undefined;
  },
  async after(student, { keep, epochs }, context) {
    // Loaded where it is used: pages do not pay for it.
    const { factorized } = await import('../low-rank/factorize.ts');
    const { student: factored, layers, all } = factorized(student, keep, context);
    const cut = await context.measure(factored);
    const trained =
      epochs > 0
        ? await context.retrain('factors', factored, { epochs })
        : { student: factored, validation: cut };
    const ranks = layers.map(({ name, rank, whole }) => `${name}: ${rank} of ${whole}`).join(', ');
    return { ...trained, summary: `${layers.length} of ${all} matrices in two factors (${ranks})` };
  },
});
