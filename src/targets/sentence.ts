import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { sentenceScores } from '../metrics/sentence-scores.ts';
import { bleu, exactSentences, sentencePerplexity } from '../metrics/sentences.ts';
import { SENTENCES } from './inner/sentences.ts';
import { keptTokens, likeliestOption, sampledOption } from './keep-options.ts';
import { type SentenceSpace, sentenceTruth, wordCount } from './sentence-truth.ts';
import { BEGIN, END, FIRST_WORD, UNKNOWN, wordsColumn } from './sentence-words.ts';
import { writtenLogits } from './sentence-writer.ts';
import { defineTarget, type MeasureContext } from './target.ts';
import { WRITER_METADATA, type WriterFacts } from './writer-facts.ts';

const options = z
  .object({
    width: z.int().min(4).max(4096).default(64).describe('Width of the decoder that writes.'),
    heads: z.int().min(1).max(64).default(4).describe('Attention heads; they divide the width.'),
    layers: z.int().min(1).max(24).default(2).describe('Layers of the decoder that writes.'),
    length: z
      .int()
      .min(1)
      .max(512)
      .default(64)
      .describe('Words and marks of a sentence, at most; a row with a longer one is broken.'),
    vocabulary: z
      .int()
      .min(1)
      .max(100_000)
      .default(8192)
      .describe('Different words, at most: the most frequent of the training sentences, others are unknown.'),
    keep: z
      .union([
        z
          .literal('all')
          .describe('Every logit: four bytes for each word of the vocabulary, for each word of a sentence.'),
        likeliestOption,
        sampledOption,
      ])
      .default('all')
      .describe("What is kept of a teacher's answer for each word of a sentence."),
    least: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Words that occur less often in the training sentences are unknown.'),
  })
  .describe('A sentence about an image, written word by word by a decoder that looks at all places of it.');

/**
 * A sentence: output float32 [batch, length, words], logits of each word after the true ones before it, which the model reads
 * from the column `LABELS/words`. The model that ships writes by itself.
 */
export const sentence = defineTarget({
  kind: 'sentence',
  title: 'a sentence',
  field: 'text',
  options,
  features: 'map',
  truth: (chosen) => sentenceTruth(chosen),
  attach(g, make, features, { space, scope, output, labels, options: chosen }) {
    const { width, heads } = chosen;
    if (width % heads !== 0) {
      throw new LimbeckError('recipe.invalid', `${heads} attention heads do not divide a width of ${width}`, {
        where: `outputs.${output}.heads`,
        remedy: 'Choose a width that is a multiple of heads.',
      });
    }
    const own = space as SentenceSpace;
    const input = wordsColumn(labels);
    const words = g.input(input, 'int64', ['batch', own.length]);
    g.setMetadata(WRITER_METADATA, JSON.stringify({ output, input, ...own } satisfies WriterFacts));
    return g.scope(scope, () =>
      writtenLogits(g, make, features, words, { ...chosen, outputs: wordCount(own) }),
    );
  },
  // Short forms of recipes name no options.
  keep: ({ keep = 'all' }, space) =>
    keep === 'all' ? undefined : keptTokens(keep, wordCount(space as SentenceSpace)),
  objective: { labels: { tokenLabels: 0.5 }, teacher: { nextTokenKd: 1 } },
  writes: true,
  reduce: (answers, batch, { labels }, written) => sentenceScores(answers, batch, labels, written),
  metrics(context) {
    const measured = measuredBy(context);
    return [sentencePerplexity(measured), bleu(measured), exactSentences(measured)];
  },
  inner: SENTENCES,
  example: { words: ['a'], length: 2 },
  selection: 'perplexity',
  encoding: 'float16-centred',
  dims: (space) => [(space as SentenceSpace).length, wordCount(space as SentenceSpace)],
  config: (space) => {
    const { words, length } = space as SentenceSpace;
    return { sentence: { words, length, begin: BEGIN, end: END, unknown: UNKNOWN, firstWord: FIRST_WORD } };
  },
});

function measuredBy({ labels }: MeasureContext<unknown, unknown>) {
  return { labels, end: END, unknown: UNKNOWN };
}
