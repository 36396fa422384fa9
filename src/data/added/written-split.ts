import { createSha256 } from '../../platform/hash.ts';
import { type Batch, columnOf, SAMPLE_KEY_BYTES } from '../batch.ts';
import { emptyLike, rowOf } from '../batches/batch-rows.ts';
import { ATTENTION_MASK, INPUT_IDS } from '../columns.ts';
import { NOT_ASKED } from '../modalities/text/token-piece.ts';
import type { Example, Split } from '../split.ts';

/** A text that a model wrote, with its beginning, as token ids. */
export interface WrittenText {
  readonly ids: ArrayLike<number>;
  /** Tokens of the beginning, which was given: at least one. */
  readonly promptLength: number;
}

/** Where texts are, and how they become rows. */
export interface WrittenTexts {
  /** Tokens of each text, its beginning included. */
  readonly lengths: ArrayLike<number>;
  read(texts: readonly number[]): readonly WrittenText[];
  /** The column with what comes next. */
  readonly labels: string;
  /** Whether tokens stand at the end of a padded row. */
  readonly paddedLeft: boolean;
  decode(ids: readonly number[]): string;
}

/**
 * Texts that a model wrote, as samples beside those of a split of documents, in its buckets. What is asked of them is what was
 * written: nothing is asked about their beginnings. Only where each belongs is held; texts are read when they are wanted.
 */
export class WrittenSplit implements Split {
  readonly name = 'written';
  readonly size: number;
  readonly buckets: readonly { readonly size: number; readonly length?: number }[];
  readonly #of: Split;
  readonly #texts: WrittenTexts;
  /** The texts of each bucket, in order. */
  readonly #members: readonly Uint32Array[];

  /** @param of documents none of which is shorter than a text in its last bucket */
  constructor(of: Split, texts: WrittenTexts) {
    this.#of = of;
    this.#texts = texts;
    const members = of.buckets.map((): number[] => []);
    for (let text = 0; text < texts.lengths.length; text++)
      members[bucketFor(of, texts.lengths[text] as number)]?.push(text);
    this.#members = members.map((own) => Uint32Array.from(own));
    this.size = texts.lengths.length;
    this.buckets = of.buckets.map((bucket, i) => ({ ...bucket, size: members[i]?.length ?? 0 }));
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const members = this.#members[bucket] as Uint32Array;
    const batch = emptyLike(this.#of.readBatch(bucket, [], rows), rows, indices.length);
    const before = this.#members.slice(0, bucket).reduce((sum, { length }) => sum + length, 0);
    const texts = this.#texts.read(Array.from(indices, (index) => members[index] as number));
    for (const [row, text] of texts.entries()) {
      writeRow(batch, row, text, this.#texts);
      batch.ordinals[row] = before + (indices[row] as number);
    }
    return batch;
  }

  example(ordinal: number): Example {
    let place = ordinal;
    for (const members of this.#members) {
      if (place < members.length) {
        const [text] = this.#texts.read([members[place] as number]);
        return { text: this.#texts.decode(Array.from(text?.ids ?? [])) };
      }
      place -= members.length;
    }
    throw new Error(`no sample ${ordinal} in ${this.name}`);
  }

  close(): void {}
}

/** The bucket of a text: the first that it fits in. @throws Error for a text that fits in none */
export function bucketFor({ buckets }: Pick<Split, 'buckets'>, length: number): number {
  const found = buckets.findIndex((bucket) => (bucket.length ?? 0) >= length);
  if (found < 0) throw new Error(`a text of ${length} tokens fits in no bucket`);
  return found;
}

/**
 * Writes a text into an empty row: its tokens, what is asked (`asked`: the tokens themselves when absent), and a key of all that.
 *
 * @param asked what the column of labels says of each written token
 */
export function writeRow(
  batch: Batch,
  row: number,
  { ids, promptLength }: WrittenText,
  { labels, paddedLeft }: Pick<WrittenTexts, 'labels' | 'paddedLeft'>,
  asked = (id: number) => id,
): void {
  const [tokens, mask] = [INPUT_IDS, ATTENTION_MASK].map((name) =>
    rowOf(columnOf(batch, name), batch.rows, row),
  ) as [BigInt64Array, BigInt64Array];
  const next = rowOf(columnOf(batch, labels), batch.rows, row) as Int32Array;
  const start = paddedLeft ? tokens.length - ids.length : 0;
  mask.fill(0n);
  next.fill(NOT_ASKED);
  for (let i = 0; i < ids.length; i++) {
    tokens[start + i] = BigInt(ids[i] as number);
    mask[start + i] = 1n;
    if (i + 1 >= promptLength && i + 1 < ids.length) next[start + i] = asked(ids[i + 1] as number);
  }
  const key = createSha256()
    .update(`written after ${promptLength}`)
    .update(new Uint8Array(Int32Array.from(ids).buffer));
  batch.keys.set(key.digest().subarray(0, SAMPLE_KEY_BYTES), row * SAMPLE_KEY_BYTES);
}
