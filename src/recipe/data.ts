import { z } from 'zod';
import { className, classNames } from '../data/labels/class-name.ts';
import { variationOptions as audioVariation } from '../data/modalities/audio/variation.ts';
import { variationOptions } from '../data/modalities/image/variation.ts';
import { SOURCES } from '../data/sources/index.ts';
import { fromRegistries } from '../registry.ts';
import { registryUnion } from './registry-union.ts';
import { switchable } from './switched-off.ts';
import { writtenSchema } from './written.ts';

/** A number of samples (2000) or a part of the data (0.1). */
const splitSize = z
  .number()
  .positive()
  .refine((size) => size < 1 || Number.isInteger(size), {
    error: 'expected a fraction below 1 or a whole number of samples',
  });

const splits = z
  .strictObject({
    train: z
      .int()
      .positive()
      .optional()
      .describe(
        'Samples to train on, at most: those that keep their label, and others drawn by the seed. All, when absent.',
      ),
    validation: splitSize
      .optional()
      .describe(
        "Samples that choose the best epoch: a count (2000) or a fraction below 1 (0.1). When absent the data's own split, else 0.1; the data's own is cut to a smaller size.",
      ),
    test: splitSize
      .optional()
      .describe(
        "Samples that are only used for the reported numbers: a count or a fraction below 1. When absent the data's own split, else 0.1; the data's own is cut to a smaller size.",
      ),
    stratified: z
      .boolean()
      .default(true)
      .describe('Whether each class has the same part of every split that is drawn.'),
    seed: z
      .int()
      .min(0)
      .optional()
      .describe(
        "Draws the splits; the recipe's seed when absent. With one of its own other seeds train on the same samples: those that a teacher was trained on, which must not be tested with.",
      ),
  })
  .prefault({})
  .describe('How the data is divided, by the content of samples and group by group.');

/**
 * The lengths to pad to when the recipe gives none: 16, 24, 32, 48, 64, 96 ... up to the longest text. Steps of a half
 * and a third waste less padding than doubling does, and a compiled step more costs a tenth of a second.
 */
export function bucketsFor(maxLength: number): number[] {
  const buckets: number[] = [];
  for (let length = 16; length < maxLength; length *= 2) {
    buckets.push(length);
    if (length * 1.5 < maxLength) buckets.push(length * 1.5);
  }
  return [...buckets, maxLength];
}

/** The part of the data that validates, and that tests, where neither the recipe nor the data says it. */
export const HELD_OUT = 0.1;

/** Where the samples come from, which of them are labelled, and how they become batches. */
export const dataSchema = fromRegistries(() =>
  z
    .strictObject({
      source: registryUnion(SOURCES).describe('Where the samples come from.'),
      labels: classNames
        .min(2)
        .optional()
        .describe(
          "The class names, in the order of the outputs. When absent: those that the teacher's config.json or the data set itself names, or those found in the data, numbers by their value and others by their letters.",
        ),
      renameLabels: z
        .array(
          z.strictObject({
            from: z
              .union([className, z.array(className).min(1)])
              .describe('The label as the data has it, or several that become one class.'),
            to: z
              .union([className, z.null()])
              .describe('The name of the class; null makes rows with such a label rows without one.'),
          }),
        )
        .min(1)
        .optional()
        .describe(
          'Other names for labels in the data: `[{ from: [Spam, "spam "], to: spam }, { from: "-1", to: null }]`.',
        ),
      splits,
      labelsPerClass: z
        .union([z.literal('all'), z.int().positive()])
        .default('all')
        .describe('How many labels of each class the training sees; the other training samples lose theirs.'),
      maxLength: z.int().min(4).max(4096).default(64).describe('Longer texts are cut to this many tokens.'),
      buckets: z
        .array(z.int().positive())
        .min(1)
        .refine((buckets) => buckets.every((length, i) => i === 0 || length > buckets[i - 1]!), {
          error: 'expected lengths that rise',
        })
        .optional()
        .describe('Lengths in tokens that batches are padded to, rising to maxLength; a compiled step each.'),
      augmentation: switchable(
        z.strictObject({
          crop: z
            .int()
            .min(0)
            .max(64)
            .default(2)
            .describe(
              'Pixels by which an image is moved, at most; what comes in is black, or the background of the input.',
            ),
          flip: z.boolean().default(true).describe('Whether half of the images are mirrored.'),
          ...variationOptions.pick({ zoom: true, turn: true, colour: true, erase: true }).shape,
          views: z
            .int()
            .positive()
            .max(1000)
            .default(4)
            .describe(
              'Variants of an image, which epochs take in turn. The teacher is asked about each of them once, and the student sees just what it was asked about.',
            ),
          ...audioVariation.shape,
        }),
      ).describe('How training images or audio are varied; they are not, when absent.'),
      mixup: switchable(
        z.strictObject({
          part: z
            .number()
            .positive()
            .max(4)
            .default(0.25)
            .describe('How many mixtures are added, as a part of the training samples.'),
          boundary: z
            .number()
            .positive()
            .max(1)
            .default(0.3)
            .describe(
              'Mixed are this part of the samples, those about which the teacher decides most narrowly.',
            ),
          alpha: z
            .number()
            .positive()
            .max(1)
            .default(1)
            .describe(
              'Parts of the two come from Beta(alpha, alpha): 1 draws evenly, less changes one of them little.',
            ),
        }),
      ).describe(
        "Mixtures of samples near the teacher's decision boundary, with the teacher's answers (MixUp); none, when absent.",
      ),
      adversarial: switchable(
        z.strictObject({
          part: z
            .number()
            .positive()
            .max(1)
            .default(0.1)
            .describe('How many images are attacked: this part of them, the nearest to the boundary.'),
          method: z
            .enum(['fgsm', 'pgd'])
            .default('fgsm')
            .describe('One step (FGSM), or several smaller ones (PGD).'),
          epsilon: z
            .number()
            .positive()
            .max(1)
            .default(0.03)
            .describe('The largest change of a pixel; black is 0, white is 1.'),
          steps: z.int().positive().max(50).default(5).describe('Of pgd.'),
        }),
      ).describe(
        "Images pushed towards the teacher's decision boundary, with its answers; none, when absent.",
      ),
      written: writtenSchema,
      onBrokenRow: z
        .enum(['skip', 'fail'])
        .default('skip')
        .describe('What to do with a row that cannot be read: count, show and skip it, or stop.'),
    })
    .refine((data) => !data.buckets?.length || data.buckets.at(-1) === data.maxLength, {
      path: ['buckets'],
      // A length that is no length has its own message.
      when: ({ issues }) => issues.length === 0,
      error: (issue) => {
        const { maxLength, buckets } = issue.input as { maxLength: number; buckets: number[] };
        return `the last bucket must be maxLength: they are ${buckets.at(-1)} and ${maxLength}; give both (data.buckets: [${bucketsFor(maxLength).join(', ')}]), or leave buckets out`;
      },
    })
    .transform((data) => ({ ...data, buckets: data.buckets ?? bucketsFor(data.maxLength) })),
);
