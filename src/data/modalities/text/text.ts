import { z } from 'zod';
import { LimbeckError } from '../../../errors.ts';
import { defineModality } from '../modality.ts';
import { TextProcessor } from './text-processor.ts';

const minFrequency = z
  .int()
  .positive()
  .default(2)
  .describe('Neighbours that occur less often together are not joined to a piece.');

const wordPiece = z
  .strictObject({
    kind: z.literal('wordpiece').default('wordpiece'),
    vocabulary: z
      .int()
      .min(16)
      .max(200_000)
      .default(8000)
      .describe('Pieces at most, single characters among them.'),
    lowercase: z.boolean().default(true),
    minFrequency,
  })
  .describe('Pieces of words, as BERT reads them. What is not in the vocabulary is unknown.');

const bpe = z
  .strictObject({
    kind: z.literal('bpe'),
    vocabulary: z
      .int()
      .min(512)
      .max(200_000)
      .default(8000)
      .describe('Tokens at most, special tokens and the 256 bytes among them.'),
    minFrequency,
    special: z
      .array(z.string().min(1).max(100).regex(/^\S+$/, { error: 'expected a token without spaces' }))
      .max(64)
      .default([])
      .describe(
        'Special tokens besides <|endoftext|> and <|pad|>: <|im_start|> and <|im_end|> of conversations.',
      ),
  })
  .describe('Byte-level BPE, as GPT-2 has it: every text has tokens and comes back from them exactly.');

const options = z
  .strictObject({
    tokenizer: z
      .union([
        z.string().min(1).describe('The path of a tokenizer.json.'),
        z
          .strictObject({ train: z.discriminatedUnion('kind', [wordPiece, bpe]).prefault({}) })
          .describe('A vocabulary is learnt from the training texts, and ships as tokenizer.json.'),
      ])
      .optional()
      .describe(
        "What cuts texts into tokens for the student; the teacher's tokenizer when absent. A teacher keeps its own: it reads every text itself.",
      ),
    conversations: z
      .boolean()
      .optional()
      .describe(
        "Whether the column holds conversations, lists of messages { role, content }: the tokenizer's chat template writes them as text, and a language model learns what the assistant says alone.",
      ),
    tools: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Of conversations: the column with the tools that the assistant of a row may call, a list of JSON schemas or its JSON text, which the chat template writes too. A row may have none.',
      ),
    prefix: z
      .string()
      .regex(/^[A-Za-z]\w*$/, { error: 'expected letters, digits and underscores' })
      .optional()
      .describe(
        'What the names of its columns begin with (`PREFIX_input_ids`), where a recipe has several texts.',
      ),
  })
  .meta({ title: 'Text', description: 'A text, or a pair of texts, as the ids of its tokens.' });

/** Texts, and pairs of texts, as tokens of the run's tokenizer: data.maxLength of them at most, in data.buckets. */
export const text = defineModality({
  kind: 'text',
  options,
  open({ prefix }, { input, fields, tokenizer, maxLength, buckets }) {
    const complain = (problem: string, remedy: string): never => {
      throw new LimbeckError('data.options', problem, { where: `inputs.${input}`, remedy });
    };
    if (!tokenizer)
      return complain(
        'there is no tokenizer to read texts with',
        'Name a teacher or a student that has one.',
      );
    if (fields.length > 2)
      complain(
        `a text of ${fields.length} columns`,
        'Give a column, or a pair of them; make others inputs of their own.',
      );
    const ascending = buckets.every((length, i) => length > (i === 0 ? 0 : (buckets[i - 1] as number)));
    if (buckets.length === 0 || buckets.length > 255 || !ascending || buckets.at(-1) !== maxLength) {
      complain(
        `the buckets [${buckets.join(', ')}] do not go up to maxLength ${maxLength}`,
        'List lengths in ascending order that end with data.maxLength.',
      );
    }
    return new TextProcessor({ tokenizer, fields, buckets, ...(prefix !== undefined && { prefix }) });
  },
});
