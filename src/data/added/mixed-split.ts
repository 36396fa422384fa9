import { createSha256 } from '../../platform/hash.ts';
import { type Batch, columnOf, SAMPLE_KEY_BYTES } from '../batch.ts';
import { emptyLike, keyOf, rowOf } from '../batches/batch-rows.ts';
import { ATTENTION_MASK, INPUT_IDS, INPUT_VALUES, PIXEL_VALUES } from '../columns.ts';
import type { Example, Split } from '../split.ts';

/** A mixture of two samples of one bucket. */
export interface Mixture {
  readonly bucket: number;
  /** Positions in the bucket. */
  readonly first: number;
  readonly second: number;
  /** The first one's part, 0 to 1. */
  readonly part: number;
}

/**
 * Mixtures of pairs of another split's samples. Images are mixed pixel by pixel, waveforms sample by sample (Zhang et
 * al., "mixup: Beyond Empirical Risk Minimization", 2018, section 2); of texts the first part of one is followed by the last part of the other
 * (after Yoon et al., "SSMix", 2021, where a span of one takes the place of a span of the other). They have no label:
 * the teacher says what a mixture is. Nothing is stored but the list: mixtures are made when they are read.
 */
export class MixedSplit implements Split {
  readonly name: string;
  readonly size: number;
  readonly buckets: readonly { readonly size: number; readonly length?: number }[];
  readonly #of: Split;
  readonly #byBucket: readonly (readonly Mixture[])[];

  constructor(of: Split, mixtures: readonly Mixture[]) {
    this.#of = of;
    this.name = 'mixtures';
    this.size = mixtures.length;
    this.#byBucket = of.buckets.map((_, bucket) => mixtures.filter((mixture) => mixture.bucket === bucket));
    this.buckets = of.buckets.map((bucket, i) => ({ ...bucket, size: this.#byBucket[i]?.length ?? 0 }));
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const wanted = Array.from(indices, (index) => this.#byBucket[bucket]?.[index] as Mixture);
    const [a, b] = [wanted.map(({ first }) => first), wanted.map(({ second }) => second)].map((own) =>
      this.#of.readBatch(bucket, own, Math.max(1, own.length)),
    ) as [Batch, Batch];
    const batch = emptyLike(a, rows, wanted.length);
    const before = this.#byBucket.slice(0, bucket).reduce((sum, list) => sum + list.length, 0);
    wanted.forEach(({ part }, row) => {
      mixRow(a, b, row, part, batch);
      const key = createSha256().update(keyOf(a, row)).update(keyOf(b, row)).update(`mixture ${part}`);
      batch.keys.set(key.digest().subarray(0, SAMPLE_KEY_BYTES), row * SAMPLE_KEY_BYTES);
      batch.ordinals[row] = before + (indices[row] as number);
    });
    return batch;
  }

  example(ordinal: number): Example {
    const { bucket, first, second, part } = this.#byBucket.flat()[ordinal] as Mixture;
    const [a, b] = [first, second].map((index) => {
      const { ordinals } = this.#of.readBatch(bucket, [index], 1);
      return this.#of.example(ordinals[0] as number);
    }) as [Example, Example];
    return { text: `${Math.round(100 * part)} % ${a.text} + ${Math.round(100 * (1 - part))} % ${b.text}` };
  }

  close(): void {}
}

function mixRow(a: Batch, b: Batch, row: number, part: number, to: Batch): void {
  const column = [PIXEL_VALUES, INPUT_VALUES].find((name) => to.columns[name]);
  if (!column) {
    spliceTokens(a, b, row, part, to);
    return;
  }
  const [first, second] = [a, b].map((batch) => rowOf(columnOf(batch, column), batch.rows, row)) as [
    Float32Array,
    Float32Array,
  ];
  const mixed = rowOf(columnOf(to, column), to.rows, row);
  for (let i = 0; i < mixed.length; i++)
    mixed[i] = part * (first[i] as number) + (1 - part) * (second[i] as number);
}

/** The first `part` of a text's tokens, then the last of the other's: a token of each at least. */
function spliceTokens(a: Batch, b: Batch, row: number, part: number, to: Batch): void {
  const [ids, mask] = [INPUT_IDS, ATTENTION_MASK].map((name) => rowOf(columnOf(to, name), to.rows, row)) as [
    BigInt64Array,
    BigInt64Array,
  ];
  const { length } = ids;
  const [tokensA, tokensB] = [tokensOf(a, row), tokensOf(b, row)];
  const fromA = Math.min(tokensA.length, length - 1, Math.max(1, Math.round(part * tokensA.length)));
  const fromB = Math.min(
    tokensB.length,
    length - fromA,
    Math.max(1, Math.round((1 - part) * tokensB.length)),
  );
  // Where one of them is padded on the left, so is the mixture.
  const left = [a, b].some((batch) => rowOf(columnOf(batch, ATTENTION_MASK), batch.rows, row)[0] === 0n);
  const at = left ? length - fromA - fromB : 0;
  mask.fill(0n);
  ids.set(tokensA.subarray(0, fromA), at);
  ids.set(tokensB.subarray(tokensB.length - fromB), at + fromA);
  mask.fill(1n, at, at + fromA + fromB);
}

/** A text's ids without its padding: one at least. */
function tokensOf(batch: Batch, row: number): BigInt64Array {
  const [ids, mask] = [INPUT_IDS, ATTENTION_MASK].map((name) =>
    rowOf(columnOf(batch, name), batch.rows, row),
  ) as [BigInt64Array, BigInt64Array];
  const first = Math.max(0, mask.indexOf(1n));
  const last = Math.max(first, mask.lastIndexOf(1n));
  return ids.subarray(first, last + 1);
}
