import { z } from 'zod';
import { skipOption } from '../skip-option.ts';

/** What a recipe says of pruning. */
export const pruneOptions = z
  .strictObject({
    amount: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe('How much of the channels, neurons and heads goes, as a part of all.'),
    criterion: z
      .enum(['l1', 'scales', 'taylor', 'random'])
      .default('l1')
      .describe(
        'What goes first: the smallest weights, the smallest scales of normalisations, what changes the loss least (gradient times weight), or anything (to compare with).',
      ),
    across: z
      .enum(['layer', 'network'])
      .default('layer')
      .describe('Whether every layer loses as much, or the least important channels of all layers go.'),
    rounds: z.int().min(1).max(20).default(1).describe('In how many steps, with training between them.'),
    epochs: z
      .number()
      .min(0)
      .max(1000)
      .default(4)
      .describe('Passes over the training samples after the last round; each earlier round has `between`.'),
    between: z.number().min(0).max(1000).default(1).describe('Passes after each round but the last one.'),
    learningRate: z
      .number()
      .gt(0)
      .max(10)
      .default(1)
      .describe("The highest learning rate afterwards, as a part of the recipe's."),
    keep: z
      .number()
      .min(0)
      .max(100)
      .default(0.5)
      .describe(
        'How much the network before it was pruned counts as a teacher of what is left; 0: not at all.',
      ),
    sparsity: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Weight of the L1 norm of normalisation scales in the loss while the student is trained.'),
    multiple: z.int().min(1).max(64).default(1).describe('Layers keep a multiple of so many channels.'),
    skip: skipOption('Layers'),
  })
  .describe('Removes channels, neurons and attention heads: the network that ships is smaller.');

export type PruneOptions = z.output<typeof pruneOptions>;
