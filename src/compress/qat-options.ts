import { z } from 'zod';

/** What recipes can say of quantisation-aware training. */
export const qatOptions = z
  .strictObject({
    epochs: z
      .number()
      .gt(0)
      .max(1000)
      .default(2)
      .describe('Passes over the training samples with fake quantisation.'),
    learningRate: z
      .number()
      .gt(0)
      .max(10)
      .default(0.25)
      .describe("The learning rate at its highest, as a part of the recipe's own."),
    bits: z
      .literal(4)
      .optional()
      .describe(
        'The file that is trained for: 4, the one with 4-bit weights in blocks and float32 activations (export.q4); the int8 one without it.',
      ),
    block: z
      .union([z.literal(16), z.literal(32), z.literal(64), z.literal(128)])
      .optional()
      .describe(
        'With bits: 4, weights that share a scale; the same as export.q4.block, and that one when absent.',
      ),
    steps: z
      .enum(['observed', 'learnt'])
      .default('observed')
      .describe(
        'Where scales come from: the ranges that were seen (moving averages; with bits: 4 the largest weight of a block), or training (learned step size quantisation).',
      ),
    momentum: z.number().min(0).lt(1).default(0.99).describe('How much of an observed range a step keeps.'),
    freeze: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('The part of the steps after which observed ranges stay as they are.'),
    error: z
      .number()
      .min(0)
      .max(1000)
      .default(0.1)
      .describe(
        'The weight of the quantisation error of weights and activations in the loss; 0 leaves it out.',
      ),
    keep: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .describe('The weight of what the float32 student answers, as one more teacher; 0 leaves it out.'),
    equalise: z
      .boolean()
      .default(false)
      .describe(
        'Evens out the ranges of channels between convolutions first, where nothing but a Relu lies between.',
      ),
  })
  .describe(
    'Quantisation-aware training: the student learns with the roundings of its int8 file, or of its 4-bit one.',
  );
export type QatOptions = z.output<typeof qatOptions>;
