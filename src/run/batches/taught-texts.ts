import { type Batch, columnOf } from '../../data/batch.ts';
import { ATTENTION_MASK, INPUT_IDS, SEQUENCE } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { TaughtText } from '../../students/least-squares-start.ts';
import { readKnowledge, splitBatches } from './sample-batches.ts';

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
      const answer = (data as Float32Array).slice(row * width, (row + 1) * width);
      // What the teacher left without an answer starts nothing.
      if (place++ % every === 0 && !Number.isNaN(answer[0])) yield { ids, answer };
      row++;
    }
  }
}

/** The ids of each text of a batch, without padding; valid until the next one is asked for. */
export function* rowIds(batch: Batch): Generator<Int32Array> {
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
