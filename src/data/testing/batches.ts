import { tensor } from '../../onnx/tensor.ts';
import { type Batch, columnOf } from '../batch.ts';
import { targetColumns } from '../batches/target-columns.ts';
import { ATTENTION_MASK, INPUT_IDS, PIXEL_VALUES, SEQUENCE } from '../columns.ts';

type Head = Pick<Batch, 'rows' | 'filled' | 'keys' | 'ordinals'> & { readonly labels: Int32Array };

/** A batch of made-up texts: ids and mask, [rows, length]. */
export function tokenBatch(
  content: Head & { readonly length: number; readonly ids: BigInt64Array; readonly mask: BigInt64Array },
): Batch {
  const { rows, filled, keys, ordinals, labels, length, ids, mask } = content;
  return {
    rows,
    filled,
    keys,
    ordinals,
    sizes: { batch: rows, [SEQUENCE]: length },
    columns: {
      [INPUT_IDS]: tensor('int64', [rows, length], ids),
      [ATTENTION_MASK]: tensor('int64', [rows, length], mask),
      ...targetColumns(labels, filled),
    },
  };
}

/** A batch of made-up images, each of `dims`: [channels, height, width]. */
export function imageBatch(
  content: Head & { readonly dims: readonly number[]; readonly pixels: Float32Array },
): Batch {
  const { rows, filled, keys, ordinals, labels, dims, pixels } = content;
  return {
    rows,
    filled,
    keys,
    ordinals,
    sizes: { batch: rows },
    columns: {
      [PIXEL_VALUES]: tensor('float32', [rows, ...dims], pixels),
      ...targetColumns(labels, filled),
    },
  };
}

export function idsOf(batch: Batch): BigInt64Array {
  return columnOf(batch, INPUT_IDS).data as BigInt64Array;
}

export function maskOf(batch: Batch): BigInt64Array {
  return columnOf(batch, ATTENTION_MASK).data as BigInt64Array;
}

export function pixelsOf(batch: Batch): Float32Array {
  return columnOf(batch, PIXEL_VALUES).data as Float32Array;
}

/** Tokens in each row, padding included. */
export function lengthOf(batch: Batch): number {
  return batch.sizes[SEQUENCE] as number;
}
