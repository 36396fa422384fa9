import { z } from 'zod';
import type { Batch } from '../../data/batch.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { Example } from '../../data/split.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Head } from '../../targets/head.ts';
import { classAnswersSchema } from '../class-answers.ts';
import { shownExampleSchema } from '../shown-example.ts';

const cell = z.union([z.string(), z.number(), z.null()]);

/** Rows of numbers and words. */
const tableBlock = z.object({
  block: z.literal('table'),
  title: z.string(),
  about: z.string(),
  /** `percent`: numbers are fractions of 1. */
  columns: z.array(z.object({ title: z.string(), format: z.enum(['text', 'percent', 'number', 'count']) })),
  rows: z.array(z.array(cell)),
});

/** Points over two numbers, with the diagonal on which both are one. */
const scatterBlock = z.object({
  block: z.literal('scatter'),
  title: z.string(),
  about: z.string(),
  x: z.string(),
  y: z.string(),
  series: z.array(
    z.object({
      name: z.string(),
      color: z.string(),
      points: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
});

const mark = z.object({ from: z.number(), to: z.number(), label: z.string() });

/** Samples with what is true of them and what the models say: in words, as marked parts of a text, as boxes on an image. */
const samplesBlock = z.object({
  block: z.literal('samples'),
  title: z.string(),
  about: z.string(),
  samples: z.array(
    shownExampleSchema.extend({
      said: z.array(
        z.object({
          who: z.enum(['truth', 'teacher', 'student']),
          words: z.string().optional(),
          marks: z.array(mark).optional(),
          /** Corners as parts of width and height: left, top, right, bottom. */
          boxes: z
            .array(
              z.object({ label: z.string(), box: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
            )
            .optional(),
        }),
      ),
    }),
  ),
});

/** What the report says of one output, as blocks that the page knows how to draw. */
export const sectionSchema = z.array(
  z.discriminatedUnion('block', [tableBlock, scatterBlock, samplesBlock, classAnswersSchema]),
);
export type Section = z.infer<typeof sectionSchema>;
export type ShownSample = z.infer<typeof samplesBlock>['samples'][number];
export type Said = ShownSample['said'][number];

/** Models that a section tells of, the truth aside. */
export type Speaker = 'teacher' | 'student';

/** What a section is made for. */
export interface SectionContext {
  readonly head: Head;
  readonly seed: number;
  /** Whether what is called true is what the teacher said: nobody else knows. */
  readonly taught?: boolean;
  /** Whether samples are shown. */
  readonly examples: boolean;
  readonly unit: string;
  readonly tokenizer?: Tokenizer | undefined;
  /** Whether it is the only output. */
  readonly isOnly: boolean;
  /** Of several classes: from which logits on a class is answered, by model. */
  readonly thresholds: ReadonlyMap<Speaker, readonly number[]>;
}

/** Gathers what a section shows, batch by batch. */
export interface SectionCollector {
  /** @param baseline what the same student answered that learnt from the labels alone, where there is one */
  add(
    answers: ReadonlyMap<Speaker, Tensor>,
    batch: Batch,
    example: (ordinal: number) => Example,
    baseline?: Tensor,
  ): void;
  section(): Section;
}

/** Samples that a section shows. */
export const SHOWN_SAMPLES = 12;
