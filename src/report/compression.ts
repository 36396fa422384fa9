import { z } from 'zod';
import { quantity } from './html/format.ts';

const count = z.number().int().nonnegative();
const evaluation = z.record(z.string(), z.number().nullable());

/** How large a student is, and its metrics on the validation split where it was measured. */
const sizeSchema = z.object({
  parameters: count,
  /** Of one sample; absent where the graph leaves shapes open. */
  multiplications: count.optional(),
  validation: evaluation.optional(),
});

/** A round of a transform: the student before it was trained again (`cut`), and after. */
const roundSchema = z.object({
  name: z.string(),
  parameters: count,
  multiplications: count.optional(),
  cut: evaluation.optional(),
  validation: evaluation,
});

/** What one transform of a recipe's list did. */
export const appliedTransformSchema = z.object({
  kind: z.string(),
  title: z.string(),
  phases: z.array(z.enum(['before', 'during', 'after'])),
  /** Of one after training: what it changed. */
  summary: z.string().optional(),
  before: sizeSchema.optional(),
  after: sizeSchema.optional(),
  rounds: z.array(roundSchema).optional(),
});
export type AppliedTransform = z.infer<typeof appliedTransformSchema>;

/** What the transforms of a recipe did, in their order. */
export const compressionSchema = z.array(appliedTransformSchema);
export type Compression = z.infer<typeof compressionSchema>;

/** What the student was before the transforms, among the models that it is compared with. */
export const UNCOMPRESSED = {
  name: 'uncompressed',
  title: 'the student before it was compressed',
} as const;

/** What quantisation-aware training is compared with: the same student, quantised when it was trained. */
export const QUANTIZED_AFTERWARDS = {
  name: 'uncompressed-int8',
  title: 'the student before it was trained with the roundings of int8, in int8',
} as const;

/** The same of a training with the roundings of 4 bits. */
export const FOUR_BIT_AFTERWARDS = {
  name: 'uncompressed-q4',
  title: 'the student before it was trained with the roundings of 4 bits, in 4 bits',
} as const;

/** What a student with exits is compared with: itself, when no sample leaves early. */
export const TO_THE_END = {
  name: 'to-the-end',
  title: 'the same student, to its last layer for every sample',
} as const;

/** What transforms did, in sentences: for a model card, and for a terminal. */
export function compressionLines(compression: Compression | undefined): string[] {
  return (compression ?? []).map(({ title, phases, summary, before, after }) => {
    const sizes =
      before && after ? ` (${quantity(before.parameters)} to ${quantity(after.parameters)} parameters)` : '';
    return `${title}, ${phases.join(' and ')} training${summary ? `: ${summary}` : ''}${sizes}`;
  });
}
