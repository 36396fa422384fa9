import { createHash } from 'node:crypto';
import { type Batch, SAMPLE_KEY_BYTES, type TokenBatch } from '../batch.ts';
import type { Example, Split } from '../split.ts';
import { emptyLike, isImageBatch, keyOf } from './batch-rows.ts';

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
 * Mixtures of pairs of another split's samples. Pictures are mixed pixel by pixel (Zhang et al., "mixup: Beyond Empirical
 * Risk Minimization", 2018, section 2); of texts the first part of one is followed by the last part of the other
 * (after Yoon et al., "SSMix", 2021, where a span of one takes the place of a span of the other). They have no label:
 * the teacher says what a mixture is. Nothing is stored but the list: mixtures are made when they are read.
 */
export class MixedSplit<B extends Batch> implements Split<B> {
  readonly name: string;
  readonly size: number;
  readonly buckets: readonly { readonly size: number; readonly length?: number }[];
  readonly #of: Split<B>;
  readonly #byBucket: readonly (readonly Mixture[])[];

  constructor(of: Split<B>, mixtures: readonly Mixture[]) {
    this.#of = of;
    this.name = 'mixtures';
    this.size = mixtures.length;
    this.#byBucket = of.buckets.map((_, bucket) => mixtures.filter((mixture) => mixture.bucket === bucket));
    this.buckets = of.buckets.map((bucket, i) => ({ ...bucket, size: this.#byBucket[i]?.length ?? 0 }));
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): B {
    const wanted = Array.from(indices, (index) => this.#byBucket[bucket]?.[index] as Mixture);
    const [a, b] = [wanted.map(({ first }) => first), wanted.map(({ second }) => second)].map((own) =>
      this.#of.readBatch(bucket, own, Math.max(1, own.length)),
    ) as [B, B];
    const batch = emptyLike(a, rows, wanted.length);
    const before = this.#byBucket.slice(0, bucket).reduce((sum, list) => sum + list.length, 0);
    wanted.forEach(({ part }, row) => {
      mixRow(a, b, row, part, batch);
      const key = createHash('sha256').update(keyOf(a, row)).update(keyOf(b, row)).update(`mixture ${part}`);
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

function mixRow<B extends Batch>(a: B, b: B, row: number, part: number, to: B): void {
  if (isImageBatch(a) && isImageBatch(b) && isImageBatch(to)) {
    const width = a.pixels.length / a.rows;
    for (let i = row * width; i < (row + 1) * width; i++)
      to.pixels[i] = part * (a.pixels[i] as number) + (1 - part) * (b.pixels[i] as number);
    return;
  }
  spliceTokens(a as TokenBatch, b as TokenBatch, row, part, to as TokenBatch);
}

/** The first `part` of a text's tokens, then the last of the other's: a token of each at least. */
function spliceTokens(a: TokenBatch, b: TokenBatch, row: number, part: number, to: TokenBatch): void {
  const { length } = a;
  const start = row * length;
  const [tokensA, tokensB] = [tokensOf(a, row), tokensOf(b, row)];
  const fromA = Math.min(tokensA.length, length - 1, Math.max(1, Math.round(part * tokensA.length)));
  const fromB = Math.min(
    tokensB.length,
    length - fromA,
    Math.max(1, Math.round((1 - part) * tokensB.length)),
  );
  // Where one of them is padded on the left, so is the mixture.
  const left = a.mask[start] === 0n || b.mask[start] === 0n;
  const at = start + (left ? length - fromA - fromB : 0);
  to.mask.fill(0n, start, start + length);
  to.ids.set(tokensA.subarray(0, fromA), at);
  to.ids.set(tokensB.subarray(tokensB.length - fromB), at + fromA);
  to.mask.fill(1n, at, at + fromA + fromB);
}

/** A text's ids without its padding: one at least. */
function tokensOf({ ids, mask, length }: TokenBatch, row: number): BigInt64Array {
  const own = mask.subarray(row * length, (row + 1) * length);
  const first = Math.max(0, own.indexOf(1n));
  const last = Math.max(first, own.lastIndexOf(1n));
  return ids.subarray(row * length + first, row * length + last + 1);
}
