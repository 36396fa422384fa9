import { z } from 'zod';
import { fromRegistries } from '../registry.ts';
import { OPTIMIZERS } from '../train/optimizers.ts';
import { curriculumSchema, dynamicsSchema } from './curriculum.ts';
import { onPolicySchema } from './on-policy.ts';
import { registryUnion } from './registry-union.ts';
import { switchable } from './switched-off.ts';

/** How the student is trained; the baseline is trained in the same way. */
export const trainingSchema = fromRegistries(() =>
  z
    .strictObject({
      epochs: z.int().positive().default(8).describe('Passes over the training samples, at most.'),
      batchSize: z.int().positive().max(65_536).default(128),
      accumulate: switchable(z.int().min(1).max(1024)).describe(
        'In how many equal parts each batch is computed, one after another, before an update: the same steps in less memory. Batch normalisations and losses that compare samples see a part at a time. 1 when absent; continual trainings take whole batches.',
      ),
      optimizer: registryUnion(OPTIMIZERS).prefault({ kind: 'adamw' }),
      schedule: z
        .strictObject({
          warmup: z
            .number()
            .min(0)
            .lt(1)
            .default(0.05)
            .describe('The part of all steps in which the rate rises.'),
          decay: z
            .enum(['cosine', 'linear', 'constant'])
            .default('cosine')
            .describe('How it falls afterwards.'),
        })
        .prefault({})
        .describe('The learning rate over the steps.'),
      tokenDropout: z
        .number()
        .min(0)
        .lt(1)
        .default(0)
        .describe(
          'The part of the tokens that training hides, other ones in every epoch: a plain regulariser.',
        ),
      maxGradNorm: z
        .union([z.literal(false), z.number().positive()])
        .default(1)
        .describe(
          'Gradients with a larger norm, over all parameters, are scaled down to it; false leaves them as they are.',
        ),
      evaluateEvery: z
        .int()
        .positive()
        .default(150)
        .describe('Steps between two evaluations on the validation split; an epoch when that is less.'),
      earlyStopping: z
        .union([
          z.literal(false),
          z.strictObject({
            patience: z.int().positive().default(3).describe('Epochs without a better one before it stops.'),
            metric: z
              .string()
              .regex(/^[\w@/.-]{1,100}$/, { error: 'expected the name of a metric' })
              .default('accuracy')
              .describe(
                "A metric of the student on the validation split: of a class accuracy, macroF1 or loss; with several outputs OUTPUT/NAME. The main output's own where the recipe has outputs.",
              ),
          }),
        ])
        .prefault({})
        .describe(
          'Stops when validation no longer improves; false trains all epochs. The best epoch is kept.',
        ),
      onPolicy: onPolicySchema,
      curriculum: curriculumSchema,
      dynamics: dynamicsSchema,
      checkpointEvery: z
        .number()
        .positive()
        .default(30)
        .describe('Seconds between checkpoints; a killed run goes on from the last.'),
    })
    .refine(({ batchSize, accumulate = 1 }) => batchSize % accumulate === 0, {
      path: ['accumulate'],
      error: 'expected a number that divides batchSize',
    })
    .prefault({})
    .describe('How the student (and the baseline) is trained.'),
);
