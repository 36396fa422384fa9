import { SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { Permutation } from '../../data/splits/permutation.ts';
import { createSha256 } from '../../platform/hash.ts';
import { mixSeed } from '../../random.ts';
import { type Beginnable, type Beginning, beginnable, beginnings } from './prompts.ts';

/** A text that is to be written. */
export interface WantedText extends Beginning {
  /** Of its draws; 0 to 2^32 - 1. */
  readonly seed: number;
  /** Of the text, of the document and which of its texts it is. */
  readonly textKey: Uint8Array;
}

/**
 * Which texts are written: so many, of documents that are drawn by the seed, each once before any comes a second time. Texts are in
 * the order of their beginnings' lengths, so that batches of them are padded little.
 */
export class ChosenTexts {
  readonly #split: Split;
  readonly #labels: string;
  readonly #promptTokens: number;
  readonly #seed: number;
  readonly #documents: Beginnable;
  /** The number of each text before they were put in order. */
  readonly #order: Uint32Array;
  readonly #permutations = new Map<number, Permutation>();

  /** @param part texts for each document that is long enough */
  constructor(
    split: Split,
    {
      labels,
      promptTokens,
      part,
      seed,
    }: {
      readonly labels: string;
      readonly promptTokens: number;
      readonly part: number;
      readonly seed: number;
    },
  ) {
    this.#split = split;
    this.#labels = labels;
    this.#promptTokens = promptTokens;
    this.#seed = seed;
    this.#documents = beginnable(split, labels, promptTokens);
    const { length } = this.#documents.lengths;
    const texts = length === 0 ? 0 : Math.max(1, Math.round(part * length));
    const lengthOf = (text: number) => this.#documents.lengths[this.#documentOf(text)] as number;
    this.#order = Uint32Array.from({ length: texts }, (_, text) => text).sort(
      (a, b) => lengthOf(a) - lengthOf(b) || a - b,
    );
  }

  get size(): number {
    return this.#order.length;
  }

  /** Texts by their places, with the documents that they begin as. */
  read(places: readonly number[]): WantedText[] {
    const texts = places.map((place) => this.#order[place] as number);
    const found = new Map<number, WantedText>();
    // A bucket's documents are read at once.
    for (const bucket of new Set(
      texts.map((text) => this.#documents.buckets[this.#documentOf(text)] as number),
    )) {
      const members = texts.filter((text) => this.#documents.buckets[this.#documentOf(text)] === bucket);
      const indices = members.map((text) => this.#documents.indices[this.#documentOf(text)] as number);
      const batch = this.#split.readBatch(bucket, indices, members.length);
      for (const [i, document] of beginnings(batch, this.#labels, this.#promptTokens).entries()) {
        const text = members[i] as number;
        const round = Math.floor(text / this.#documents.lengths.length);
        const hash = createSha256().update(document.key).update(`text ${round}`).digest();
        const textKey = hash.subarray(0, SAMPLE_KEY_BYTES);
        found.set(text, { ...document, textKey, seed: mixSeed(this.#seed, 'written', ...textKey) >>> 0 });
      }
    }
    return texts.map((text) => found.get(text) as WantedText);
  }

  /** The document that a text begins as. */
  #documentOf(text: number): number {
    const { length } = this.#documents.lengths;
    const round = Math.floor(text / length);
    const permutation =
      this.#permutations.get(round) ?? new Permutation(length, this.#seed, 'written', round);
    this.#permutations.set(round, permutation);
    return permutation.at(text % length);
  }
}
