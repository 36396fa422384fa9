import type { Batch } from '../../data/batch.ts';
import { SEQUENCE } from '../../data/columns.ts';
import { shownTexts, TextProcessor } from '../../data/modalities/text/text-processor.ts';
import { emptyColumn } from '../../data/prepared/batch-columns.ts';
import type { ShownSplit } from '../../data/text-split.ts';
import { LimbeckError } from '../../errors.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import type { ReadApart, TeacherReading } from '../context/task.ts';
import { textLabelling } from './ask-teacher.ts';
import { readingBy } from './reading-by.ts';

/** Lengths that texts are padded to for a teacher: up to twice the powers of two, so that a quarter is padding at most. */
const STEPS = [8, 12];

/**
 * How a teacher of texts reads them by its own tokenizer, and after its own prompt: each text from the data set, whatever the
 * student's tokenizer made of it, up to the teacher's own length. The keys of samples are those of their texts, so that answers in
 * the store serve students of any tokenizer.
 *
 * @param apart what sets it apart from the student, for errors
 */
export function ownTextReading(
  source: Pick<TextTeacherSource, 'tokenizer' | 'maxLength' | 'prompt'>,
  fields: readonly string[],
  apart: ReadApart,
): TeacherReading {
  const { tokenizer, maxLength, prompt = '' } = source;
  const processor = new TextProcessor({ tokenizer, fields, buckets: lengthsUpTo(maxLength) });
  const facts = { ...textLabelling(source, maxLength), token: (id: number) => tokenizer.token(id), apart };
  return readingBy(facts, (batch, split) => columnsOf(processor, prompt, batch, split as ShownSplit));
}

function columnsOf(
  processor: TextProcessor,
  prompt: string,
  { rows, filled, ordinals, columns, sizes }: Batch,
  split: ShownSplit,
): Pick<Batch, 'columns' | 'sizes'> {
  const encoded = Array.from({ length: filled }, (_, row) => {
    const ordinal = ordinals[row] as number;
    const [first, ...others] = shownTexts(split.shown(ordinal));
    // Of a pair, sentence-transformers puts it before the first text alone.
    const texts = [`${prompt}${first}`, ...others];
    try {
      return processor.encode(texts.length === 1 ? texts[0] : texts);
    } catch (cause) {
      throw new LimbeckError(
        'teacher.inputs',
        `the teacher's tokenizer reads nothing of a text: ${(cause as Error).message}`,
        {
          where: `'${texts.join(' | ').slice(0, 100)}', sample ${ordinal} of ${split.name}`,
          remedy: 'Leave the row out, or take a teacher whose vocabulary has such texts.',
          cause,
        },
      );
    }
  });
  const longest = Math.max(1, ...encoded.map(({ length = 0 }) => length));
  const length = processor.axis.buckets.find((bucket) => bucket >= longest) as number;
  const own = { ...sizes, [SEQUENCE]: length };
  const made: Record<string, Tensor> = Object.fromEntries(
    processor.columns.map((spec) => [spec.name, emptyColumn(spec, [rows, length])]),
  );
  for (const [row, { bytes }] of encoded.entries()) processor.decode(bytes, made, row, own);
  for (let row = filled; row < rows; row++) processor.blank(made, row, own);
  return { columns: { ...columns, ...made }, sizes: own };
}

/** 8, 12, 16, 24, 32, 48 ... and the longest. */
export function lengthsUpTo(longest: number): number[] {
  const lengths: number[] = [];
  for (let scale = 1; 8 * scale < longest; scale *= 2)
    lengths.push(...STEPS.map((step) => step * scale).filter((length) => length < longest));
  return [...lengths, longest];
}
