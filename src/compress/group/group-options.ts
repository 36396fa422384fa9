import { z } from 'zod';
import { skipOption } from '../skip-option.ts';

/** What a recipe says of grouped convolutions. */
export const groupOptions = z
  .strictObject({
    groups: z.int().min(2).max(64).default(2).describe('Into how many groups each convolution is split.'),
    when: z
      .enum(['after', 'before'])
      .default('after')
      .describe(
        'After: the trained convolutions become groups that are distilled from them. Before: the student is made of groups from the start.',
      ),
    shuffle: z
      .boolean()
      .default(true)
      .describe(
        'Whether channels are shuffled where one grouped convolution would only read what another group of its kind made.',
      ),
    blockEpochs: z
      .number()
      .min(0)
      .max(1000)
      .default(1)
      .describe(
        'Passes over the training samples in which each group learns its own channels of the layer before.',
      ),
    epochs: z
      .number()
      .min(0)
      .max(1000)
      .default(4)
      .describe('Passes in which all of them are trained together.'),
    learningRate: z
      .number()
      .gt(0)
      .max(10)
      .default(1)
      .describe("The highest learning rate of both, as a part of the recipe's."),
    keep: z
      .number()
      .min(0)
      .max(100)
      .default(0.5)
      .describe(
        'How much the network before counts as a teacher while all are trained together; 0: not at all.',
      ),
    skip: skipOption('Convolutions'),
  })
  .describe('Convolutions become grouped ones: a fraction of their weights and multiplications.');

export type GroupOptions = z.output<typeof groupOptions>;
