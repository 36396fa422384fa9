import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { shownValue } from '../data/labels/label-value.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { BEGIN, END, FIRST_WORD, PAD, UNKNOWN, wordsColumn, wordsOf } from './sentence-words.ts';

/** The words that sentences are made of. */
export interface SentenceSpace {
  /** In the order of their numbers, of which the first is `FIRST_WORD`. */
  readonly words: readonly string[];
  /** Words of the longest sentence, and its end. */
  readonly length: number;
}

export interface SentenceOptions {
  /** Words of a sentence, at most. */
  readonly length: number;
  /** Different words, at most: the most frequent ones. */
  readonly vocabulary: number;
  /** Rarer words are unknown ones. */
  readonly least: number;
}

/** How many numbers the words of a space have, those beside words included. */
export function wordCount({ words }: Pick<SentenceSpace, 'words'>): number {
  return FIRST_WORD + words.length;
}

const NO_WORD = -1;

/**
 * A sentence: int32 [length], the words and then the end, -1 behind it (and everywhere for a row without a sentence), and int64
 * [length], the word before each of them, which a model that writes reads. The vocabulary is of the words that labelled training
 * samples have; how long a sentence may be is known of all rows.
 */
export function sentenceTruth(options: SentenceOptions): GroundTruth<string[] | number[], SentenceSpace> {
  return {
    hash: canonicalJson({ sentence: 2, ...options }),
    marksMissing: true,
    begin: (context) => new SentenceReader(options, context),
    columns: ({ length }, name) => [
      { name, type: 'int32', shape: [length], pad: NO_WORD, role: 'target' },
      { name: wordsColumn(name), type: 'int64', shape: [length], pad: PAD, role: 'input' },
    ],
    write(value, columns, row, { length }, name) {
      const numbers = value as number[];
      const [next, before] = [columns[name], columns[wordsColumn(name)]] as [Tensor, Tensor];
      (next.data as Int32Array).set([...numbers, END], row * length);
      (before.data as BigInt64Array).set([BEGIN, ...numbers].map(BigInt), row * length);
    },
  };
}

class SentenceReader implements TruthReader<string[] | number[], SentenceSpace> {
  readonly #options: SentenceOptions;
  readonly #context: TruthContext;
  readonly #counts = new Map<string, number>();
  #longest = 0;

  constructor(options: SentenceOptions, context: TruthContext) {
    this.#options = options;
    this.#context = context;
  }

  read(raw: unknown): string[] | undefined {
    const { field, output } = this.#context;
    if (raw === undefined || raw === null || raw === '') return undefined;
    if (typeof raw !== 'string')
      throw new BrokenValue('value', `'${field}' has no sentence but ${shownValue(raw)}`);
    const words = wordsOf(raw);
    if (words.length === 0) return undefined;
    const { length } = this.#options;
    if (words.length > length) {
      throw new BrokenValue(
        'value',
        `'${field}' has ${words.length} words and marks, more than outputs.${output}.length (${length})`,
      );
    }
    this.#longest = Math.max(this.#longest, words.length);
    return words;
  }

  fit(words: string[] | number[]): void {
    for (const word of words as string[]) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
  }

  finish() {
    const { title, field, output, keys = keysInOutputs(output) } = this.#context;
    const { vocabulary, least } = this.#options;
    // By their names where they are equally frequent, and in the end: the same words have the same numbers.
    const words = [...this.#counts]
      .filter(([, count]) => count >= least)
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .slice(0, vocabulary)
      .map(([word]) => word)
      .sort();
    if (words.length === 0) {
      const rare = this.#counts.size > 0 ? ` that occurs ${least} times` : '';
      throw new LimbeckError(
        'data.one-class',
        `no labelled training sample has a word${rare} in '${field}'`,
        {
          where: title,
          remedy: rare ? `Set outputs.${output}.least to 1.` : fieldRemedy(keys, 'the sentences'),
        },
      );
    }
    const numbers = new Map(words.map((word, i) => [word, FIRST_WORD + i]));
    return {
      space: { words, length: this.#longest + 1 },
      final: (value: string[] | number[]) => (value as string[]).map((word) => numbers.get(word) ?? UNKNOWN),
      parts: (value: string[] | number[]) => ({
        all: value.length,
        unknown: (value as number[]).filter((number) => number === UNKNOWN).length,
      }),
    };
  }
}
