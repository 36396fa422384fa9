import { type Batch, columnOf } from '../../data/batch.ts';
import { ATTENTION_MASK, SEQUENCE } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';

/** Calls, unless it is said otherwise. */
const CALLS = 50;

/**
 * Calls of `rows` samples taken from all over a split, texts cut to the longest of them as a tokenizer pads them. Where the
 * split is so small that no bucket has so many samples, a call takes some of them several times.
 *
 * @param inputs names of the columns that a model is fed
 */
export function* speedCalls(
  split: Split,
  rows: number,
  inputs: readonly string[],
  calls = CALLS,
): Generator<Record<string, Tensor>> {
  const bucketsOf = (least: number) =>
    split.buckets.flatMap(({ size }, bucket) => (size >= least ? [bucket] : []));
  const large = bucketsOf(rows);
  const usable = large.length > 0 ? large : bucketsOf(1);
  const sizeOf = (bucket: number) => (split.buckets[bucket] as { size: number }).size;
  const total = usable.reduce((sum, bucket) => sum + sizeOf(bucket), 0);
  for (let call = 0; call < calls && total > 0; call++) {
    // Buckets come up as often as they are full; inside one, calls are spread evenly.
    let place = Math.floor(((call + 0.5) / calls) * total);
    const bucket = usable.find((candidate) => {
      if (place < sizeOf(candidate)) return true;
      place -= sizeOf(candidate);
      return false;
    }) as number;
    const size = sizeOf(bucket);
    const first = Math.max(0, Math.min(place, size - rows));
    const indices = Array.from({ length: rows }, (_, row) => (first + row) % size);
    yield inputsOf(split.readBatch(bucket, indices, rows), inputs);
  }
}

function inputsOf(batch: Batch, names: readonly string[]): Record<string, Tensor> {
  const cut = withoutCommonPadding(batch);
  return Object.fromEntries(names.map((name) => [name, cut(columnOf(batch, name))]));
}

/** What takes the places of tokens out of a column that are padding in every row, on whichever side they are. */
function withoutCommonPadding(batch: Batch): (column: Tensor) => Tensor {
  const { rows, sizes, columns } = batch;
  const length = sizes[SEQUENCE];
  if (length === undefined || !columns[ATTENTION_MASK]) return (column) => column;
  const mask = columnOf(batch, ATTENTION_MASK).data as BigInt64Array;
  let [first, last] = [length - 1, 0];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1n) continue;
    first = Math.min(first, i % length);
    last = Math.max(last, i % length);
  }
  const kept = Math.max(1, last + 1 - first);
  return (column) => {
    const { type, dims, data } = column;
    if (dims.length !== 2 || dims[1] !== length) return column;
    const values = data as BigInt64Array;
    const result = values.slice(0, rows * kept);
    for (let row = 0; row < rows; row++)
      result.set(values.subarray(row * length + first, row * length + first + kept), row * kept);
    return tensor(type, [rows, kept], result);
  };
}
