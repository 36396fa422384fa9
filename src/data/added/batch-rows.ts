import { type Batch, type ImageBatch, SAMPLE_KEY_BYTES, type TokenBatch } from '../batch.ts';

/** Whether a batch is of pictures. */
export function isImageBatch(batch: Batch): batch is ImageBatch {
  return 'pixels' in batch;
}

/** An empty batch of the shape of another, for `rows` rows of which `filled` will be samples. */
export function emptyLike<B extends Batch>(like: B, rows: number, filled: number): B {
  const head = {
    rows,
    filled,
    labels: new Int32Array(rows).fill(-1),
    keys: new Uint8Array(filled * SAMPLE_KEY_BYTES),
    ordinals: new Uint32Array(filled),
  };
  if (isImageBatch(like)) {
    const pixels = new Float32Array((rows * like.pixels.length) / like.rows);
    return { ...head, dims: like.dims, pixels } as ImageBatch as B;
  }
  const { length } = like as TokenBatch;
  const mask = new BigInt64Array(rows * length);
  // A text has a token at least.
  for (let row = 0; row < rows; row++) mask[row * length] = 1n;
  return { ...head, length, ids: new BigInt64Array(rows * length), mask } as TokenBatch as B;
}

/** Copies row `from` of a batch to row `to` of another of the same shape: content, label, key and ordinal. */
export function copyRow<B extends Batch>(source: B, from: number, target: B, to: number): void {
  target.labels[to] = source.labels[from] as number;
  target.ordinals[to] = source.ordinals[from] as number;
  target.keys.set(keyOf(source, from), to * SAMPLE_KEY_BYTES);
  for (const [read, written] of contents(source, target)) {
    const width = read.length / source.rows;
    (written as Float32Array).set(
      (read as Float32Array).subarray(from * width, (from + 1) * width),
      to * width,
    );
  }
}

/** The key of a row. */
export function keyOf({ keys }: Batch, row: number): Uint8Array {
  return keys.subarray(row * SAMPLE_KEY_BYTES, (row + 1) * SAMPLE_KEY_BYTES);
}

function contents(a: Batch, b: Batch): [BigInt64Array | Float32Array, BigInt64Array | Float32Array][] {
  if (isImageBatch(a) && isImageBatch(b)) return [[a.pixels, b.pixels]];
  const [from, to] = [a as TokenBatch, b as TokenBatch];
  return [
    [from.ids, to.ids],
    [from.mask, to.mask],
  ];
}
