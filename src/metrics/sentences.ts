import type { MeasuredBatch } from './metric.ts';
import { type Metric, metric } from './metric.ts';
import { columnOf, rowOf } from './output-rows.ts';
import { NOT_WRITTEN, SENTENCE_SCORES } from './sentence-scores.ts';

export interface SentenceOptions {
  /** The column int32 [rows, length] with the words of sentences and their end; negative behind it. */
  readonly labels: string;
  /** The number of the end. */
  readonly end: number;
  /** The number of words outside the vocabulary, which no model writes right. */
  readonly unknown: number;
}

/** Words in a row up to which sentences are compared. */
const LONGEST_RUN = 4;

/** e to the mean cross-entropy of a word after the true ones before it, the end of a sentence among them. */
export function sentencePerplexity({ labels }: SentenceOptions): Metric {
  return metric<{ loss: number; words: number }>({
    name: 'perplexity',
    title: 'perplexity',
    better: 'lower',
    format: 'number',
    start: () => ({ loss: 0, words: 0 }),
    add(state, scores, batch) {
      for (const { truth, own } of sentencesOf(scores, batch, labels)) {
        for (let place = 0; place < truth.length; place++) {
          if ((truth[place] as number) < 0) break;
          state.loss += own[place * SENTENCE_SCORES] as number;
          state.words++;
        }
      }
    },
    value: ({ loss, words }) => (words > 0 ? Math.exp(loss / words) : Number.NaN),
  });
}

/** Sentences that are written word by word as they are true / sentences. */
export function exactSentences(options: SentenceOptions): Metric {
  return metric<{ right: number; sentences: number }>({
    name: 'exactMatch',
    title: 'sentences written exactly',
    better: 'higher',
    format: 'percent',
    start: () => ({ right: 0, sentences: 0 }),
    add(state, scores, batch) {
      for (const { truth, written } of writtenOf(scores, batch, options)) {
        state.sentences++;
        // NaN, of what is unknown, is no word: it equals none.
        if (truth.length === written.length && truth.every((word, i) => word === written[i])) state.right++;
      }
    },
    value: ({ right, sentences }) => (sentences > 0 ? right / sentences : Number.NaN),
  });
}

interface RunCounts {
  /** By length, from 1: runs of words that are in the true sentence, too, no more often than there; and all. */
  readonly right: number[];
  readonly all: number[];
  written: number;
  true: number;
}

/**
 * BLEU of written sentences against one true sentence each, over the whole split: the geometric mean of the parts of runs of one to
 * four words that are in the true sentence, times a penalty where less is written than is true.
 *
 * Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation" (2002), section 2.3.
 */
export function bleu(options: SentenceOptions): Metric {
  return metric<RunCounts>({
    name: 'bleu4',
    title: 'BLEU-4 of written sentences',
    better: 'higher',
    format: 'percent',
    start: () => ({ right: [0, 0, 0, 0], all: [0, 0, 0, 0], written: 0, true: 0 }),
    add(state, scores, batch) {
      for (const { truth, written } of writtenOf(scores, batch, options)) {
        state.written += written.length;
        state.true += truth.length;
        for (let length = 1; length <= LONGEST_RUN; length++) {
          const known = runsOf(truth, length);
          for (const [run, count] of runsOf(written, length)) {
            (state.all[length - 1] as number) += count;
            (state.right[length - 1] as number) += Math.min(count, known.get(run) ?? 0);
          }
        }
      }
    },
    value(state) {
      if (state.true === 0) return Number.NaN;
      if (state.right.some((count) => count === 0)) return 0;
      const logs = state.right.map((count, i) => Math.log(count / (state.all[i] as number)));
      const penalty = Math.min(0, 1 - state.true / state.written);
      return Math.exp(penalty + logs.reduce((sum, log) => sum + log, 0) / LONGEST_RUN);
    },
  });
}

/** How often each run of so many words is in a sentence. */
function runsOf(words: readonly number[], length: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + length <= words.length; i++) {
    const run = words.slice(i, i + length).join(' ');
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

/** The rows of a batch that have a sentence, with what is kept of the answers. */
function* sentencesOf(
  scores: MeasuredBatch['columns'][string],
  { filled, columns }: MeasuredBatch,
  labels: string,
) {
  const truths = columnOf(columns, labels);
  for (let row = 0; row < filled; row++) {
    const truth = rowOf(truths, row) as Int32Array;
    if ((truth[0] as number) >= 0) yield { truth, own: rowOf(scores, row) as Float32Array };
  }
}

/** True and written words of the rows that have a sentence, without ends; none where nobody was asked to write. */
function* writtenOf(
  scores: MeasuredBatch['columns'][string],
  batch: MeasuredBatch,
  { labels, end, unknown }: SentenceOptions,
): Generator<{ truth: number[]; written: number[] }> {
  for (const { truth, own } of sentencesOf(scores, batch, labels)) {
    const words = Array.from(truth, (_, place) => own[place * SENTENCE_SCORES + 2] as number);
    if (words[0] === NOT_WRITTEN) continue;
    const known = upTo(truth, end).map((word) => (word === unknown ? Number.NaN : word));
    yield { truth: known, written: upTo(words, end) };
  }
}

function upTo(words: ArrayLike<number>, end: number): number[] {
  const all = Array.from(words);
  const stop = all.findIndex((word) => word === end || word < 0);
  return stop < 0 ? all : all.slice(0, stop);
}
