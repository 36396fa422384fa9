import { z } from 'zod';
import { classNames } from '../data/labels/class-name.ts';
import { WRITTEN_SIZE } from '../size-in-bytes.ts';

/** How a head, or the whole teacher, learns from the labelled samples before it labels the rest. */
export const headOptions = z
  .strictObject({
    hidden: z
      .int()
      .min(0)
      .max(8192)
      .default(0)
      .describe('Width of a hidden ReLU layer; 0 for a linear head. It pays with many labels only.'),
    epochs: z.int().positive().default(40).describe('Passes over the labelled samples.'),
    learningRate: z.number().positive().default(1e-2),
    weightDecay: z.number().min(0).default(1e-3),
    batchSize: z.int().positive().default(64),
    classShares: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        "How far the head goes from the classes' shares of the labels to those of all texts, which its own answers about some thousand texts without labels tell (Saerens et al., 2002): 0 not at all, 1 all the way. For labels that were drawn so many a class.",
      ),
  })
  .prefault({})
  .describe(
    'How the head is trained on the labelled samples before the teacher labels the rest; with train: none there is none, and this is not used.',
  );

export const precisionOption = z
  .enum(['auto', 'int8', 'f32'])
  .default('auto')
  .describe(
    'What labels the data: f32, calibrated int8, or int8 only when it agrees with f32 and is faster on this machine (auto).',
  );

export const memoryOption = z
  .union([
    z.int().positive(),
    z.string().regex(WRITTEN_SIZE, { error: 'expected a size, like 4GB or 500 MB' }),
  ])
  .optional()
  .describe(
    'How much memory the teacher may take: 4GB, or a number of bytes. A larger one is cut at its layers into parts that fit; each runs over all samples, with what goes between them on the disk. It labels in f32.',
  );

export const minAgreementOption = z
  .number()
  .min(0)
  .max(1)
  .default(0.97)
  .describe('The part of a sample on which int8 must decide as f32 does; below it the f32 teacher labels.');

export const minInnerCosineOption = z
  .number()
  .min(-1)
  .max(1)
  .optional()
  .describe(
    'The cosine with f32 that the inner values of an int8 teacher must have on a sample, for losses that look into it; 0.99 when absent. Below it f32 is asked for all.',
  );

/** How all of the teacher learns, after its head (`train: all`). */
export const wholeOptions = z
  .strictObject({
    epochs: z.int().positive().default(3).describe('Passes over the labelled samples.'),
    learningRate: z.number().positive().default(1e-4),
    weightDecay: z.number().min(0).default(0.01),
    batchSize: z.int().positive().default(32),
  })
  .prefault({})
  .describe('How all of the teacher is trained after its head; used with train: all only.');

export const teacherLabelsOption = classNames
  .min(2)
  .optional()
  .describe(
    'The class of each output of the teacher, in the order of its outputs; what its config.json says (id2label) when absent.',
  );

export const teacherOutputOption = z
  .string()
  .min(1)
  .optional()
  .describe('Which of its outputs is the scores of the classes, where their names do not tell.');

export const promptOption = z
  .string()
  .max(10_000)
  .optional()
  .describe(
    "A text that the teacher reads before each text ('query: '), '' for none; the default prompt of its config_sentence_transformers.json when absent. The student reads the text alone.",
  );

export const atChanceOption = z
  .enum(['stop', 'warn'])
  .default('stop')
  .describe(
    'What to do when the teacher, measured on the labelled validation samples before it labels, is no better than chance.',
  );
