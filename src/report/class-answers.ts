import { z } from 'zod';
import { shownExampleSchema } from './shown-example.ts';

const count = z.number().int().nonnegative();
const fraction = z.number().min(0).max(1);

/** `counts[truth][predicted]`, square, one row and column per label. */
const confusionCountsSchema = z.array(z.array(count));
export type ConfusionCounts = z.infer<typeof confusionCountsSchema>;

const confusionPairSchema = z.object({
  truth: count,
  predicted: count,
  count: count,
});
/** Texts of class `truth` that were called `predicted` (indices of labels). */
export type ConfusionPair = z.infer<typeof confusionPairSchema>;

/** Where the student's wrong answers come from. `inherited.count + own.count` is every error it made. */
const errorOriginsSchema = z.object({
  /** The teacher gave the same wrong answer to the same text. */
  inherited: z.object({ count: count, pairs: z.array(confusionPairSchema) }),
  /** The student's alone: the teacher was right, or wrong in another way. */
  own: z.object({ count: count, teacherRight: count, pairs: z.array(confusionPairSchema) }),
  /** Texts that the teacher got wrong and the student right. */
  corrected: count,
  /** Texts with the same answer from both, right or wrong. */
  agreed: count,
  /** Texts compared. */
  total: count,
});
export type ErrorOrigins = z.infer<typeof errorOriginsSchema>;

const answerSchema = z.object({ label: count, confidence: fraction });
/** A model's answer: the index of its label, and the probability that it gave to it. */
export type Answer = z.infer<typeof answerSchema>;

/** A test text to which teacher and student gave different answers. */
const disagreementSchema = shownExampleSchema.extend({
  truth: count,
  teacher: answerSchema,
  student: answerSchema,
});
export type Disagreement = z.infer<typeof disagreementSchema>;

/** Reliability: answers of which the confidence lies in [low, high), how many, and how they did. */
const reliabilityBinSchema = z.object({
  low: fraction,
  high: fraction,
  count: count,
  meanConfidence: fraction,
  accuracy: fraction,
});
export type ReliabilityBin = z.infer<typeof reliabilityBinSchema>;

/** A test sample that the student got wrong. */
const mistakeSchema = shownExampleSchema.extend({ truth: count, student: answerSchema });
export type Mistake = z.infer<typeof mistakeSchema>;

function ofModels<T extends z.ZodType>(schema: T) {
  return z.object({ teacher: schema.nullable(), student: schema, baseline: schema.nullable() });
}

/** What models that answer with one class a sample said of the test split: a block of the report. */
export const classAnswersSchema = z.object({
  block: z.literal('classes'),
  labels: z.array(z.string()),
  confusion: ofModels(confusionCountsSchema),
  calibration: ofModels(z.array(reliabilityBinSchema)).nullable(),
  /** Of a student that had a teacher: whose mistakes it makes. */
  errors: errorOriginsSchema.nullable(),
  /** Some samples on which teacher and student differ. */
  disagreements: z.array(disagreementSchema),
  /** Some samples that a student without a teacher got wrong. */
  mistakes: z.array(mistakeSchema),
  /** Whether what is called true is what the teacher said: nobody else knows. */
  taught: z.boolean().optional(),
});
export type ClassAnswers = z.infer<typeof classAnswersSchema>;

/** Which class is taken for which, and how often. */
export function confusedPairs(confusion: ConfusionCounts): ConfusionPair[] {
  return confusion.flatMap((row, truth) =>
    row.flatMap((count, predicted) =>
      count > 0 && truth !== predicted ? [{ truth, predicted, count }] : [],
    ),
  );
}
