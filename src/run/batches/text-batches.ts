import { type Batch, columnOf, variantName } from '../../data/batch.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { OrderOf } from '../../data/batches/curriculum-order.ts';
import { dropTokens } from '../../data/batches/token-dropout.ts';
import { ATTENTION_MASK, INPUT_IDS, SEQUENCE } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import type { TextSplit } from '../../data/text-split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { TaughtText } from '../../students/least-squares-start.ts';
import type { PlainBatchSource } from '../../train/batch-source.ts';
import { readKnowledge, splitBatches, trainingBatch } from './sample-batches.ts';

export interface TextBatchOptions {
  readonly split: Split;
  readonly batchSize: number;
  readonly seed: number;
  /** Part of the tokens that become the unknown token, anew in every epoch. */
  readonly tokenDropout?: { readonly fraction: number; readonly unkId: number };
  /** What the teacher said, by tap. */
  readonly knowledge?: ReadonlyMap<string, LabelSpace>;
  /** In what order samples come; every one once an epoch when absent. */
  readonly orderOf?: OrderOf;
}

/** A split's batches for training: tokens, labels and knowledge, in the order that the seed gives. */
export function textBatches(options: TextBatchOptions): PlainBatchSource {
  const { split, batchSize, seed, tokenDropout, knowledge, orderOf = batchOrder } = options;
  const order = orderOf(split, batchSize, seed);
  return {
    batchesPerEpoch: order.batchesPerEpoch,
    batch({ epoch, index }) {
      const { bucket, indices } = order.batch(epoch, index);
      const whole = split.readBatch(bucket, indices, batchSize);
      const batch = tokenDropout ? dropTokens(whole, { ...tokenDropout, seed }, epoch, index) : whole;
      return trainingBatch(batch, knowledge);
    },
  };
}

/** The compiled steps that a split needs: one for each bucket. */
export function textVariants(
  split: TextSplit,
  batchSize: number,
): Record<string, { batch: number; sequence: number }> {
  const sizes = split.buckets.map(({ length }) => ({ batch: batchSize, [SEQUENCE]: length as number }));
  return Object.fromEntries(sizes.map((own) => [variantName(own), own]));
}

/** Texts that are read at once where all of a split are. */
const READ_ROWS = 512;

/** The ids of each text of a split, without padding; valid until the next one is asked for. */
export function* tokenIds(split: Split): Generator<Int32Array> {
  for (const batch of splitBatches(split, READ_ROWS)) yield* rowIds(batch);
}

/** Texts whose vectors are held in memory. */
const MOST_TAUGHT = 32_768;

/** Texts of a split with the vector that a teacher said of each, evenly from all lengths where there are many. */
export function* taughtTexts(split: Split, said: LabelSpace): Generator<TaughtText> {
  const every = Math.ceil(split.size / MOST_TAUGHT);
  let place = 0;
  for (const batch of splitBatches(split, READ_ROWS)) {
    const { data, dims } = readKnowledge(said, batch);
    const width = dims[1] as number;
    let row = 0;
    for (const ids of rowIds(batch)) {
      if (place++ % every === 0)
        yield { ids, answer: (data as Float32Array).slice(row * width, (row + 1) * width) };
      row++;
    }
  }
}

function* rowIds(batch: Batch): Generator<Int32Array> {
  const length = batch.sizes[SEQUENCE] as number;
  const { filled } = batch;
  const [ids, mask] = [INPUT_IDS, ATTENTION_MASK].map((name) => columnOf(batch, name).data) as [
    BigInt64Array,
    BigInt64Array,
  ];
  // The low halves of the int64s, as no id needs more.
  const low = new Int32Array(ids.buffer);
  const kept = new Int32Array(length);
  for (let row = 0; row < filled; row++) {
    let count = 0;
    for (let at = row * length; at < (row + 1) * length; at++) {
      if (mask[at] === 1n) kept[count++] = low[2 * at] as number;
    }
    yield kept.subarray(0, count);
  }
}
