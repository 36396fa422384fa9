import { z } from 'zod';
import { CONFIDENCES } from './confidence.ts';

/** What a recipe says of early exits. */
export const exitOptions = z
  .strictObject({
    after: z
      .union([z.int().min(1).max(16), z.array(z.union([z.int().min(1), z.string().min(1).max(200)])).max(16)])
      .default(1)
      .describe(
        'After which layers there is an exit: their numbers (1 is the first) or names as `limbeck inspect` tells them; or how many exits, spread evenly over the layers.',
      ),
    maxDrop: z
      .number()
      .min(0)
      .max(1)
      .default(0.003)
      .describe(
        'The accuracy that leaving early may cost on the validation split, against the last layer for every sample: 0.003 is 0.3 points. The thresholds are chosen by it.',
      ),
    confidence: z
      .enum(CONFIDENCES)
      .default('probability')
      .describe(
        'What a sample leaves by: the probability of its answer, its margin to the second one, or how far its entropy is below that of no answer. All of them lie between 0 and 1.',
      ),
    train: z
      .enum(['all', 'heads'])
      .default('all')
      .describe(
        "All: the exits are trained together with the student. Heads: after it, on a student that stays as it is, so that the last layer's answers are those of a student without exits.",
      ),
    weight: z
      .number()
      .min(0)
      .max(100)
      .default(0.5)
      .describe("How much the recipe's losses for the answers (teacher and labels) count at each exit."),
    self: z
      .number()
      .min(0)
      .max(100)
      .default(0.5)
      .describe("How much the divergence of each exit from the last layer's answers counts; 0: not at all."),
    hidden: z
      .int()
      .min(0)
      .max(4096)
      .default(0)
      .describe("Width of a hidden layer in each exit's head; 0 for a linear head."),
    places: z
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe(
        "Of images: the head reads the means of so many by so many parts of the layer's map; 1: of all of it.",
      ),
    resolution: z
      .int()
      .min(2)
      .max(16)
      .optional()
      .describe(
        'Of images: the first exit is the whole student on the image at so many times fewer pixels a side (2: a quarter of them), with normalisations of its own. `after` may then be empty.',
      ),
    epochs: z
      .number()
      .min(0)
      .max(1000)
      .default(2)
      .describe('With `train: heads`: passes over the training samples.'),
    parts: z
      .boolean()
      .default(true)
      .describe('Whether the network also ships in parts, from exit to exit, for batches.'),
  })
  .describe('Heads at inner layers, by which samples that are easy leave the network early.');

export type ExitOptions = z.output<typeof exitOptions>;
