import type { DataType } from '../../onnx/data-type.ts';
import { type Tensor, zeros } from '../../onnx/tensor.ts';
import { type Batch, SAMPLE_KEY_BYTES } from '../batch.ts';
import { ATTENTION_MASK, LABELS, ROW_WEIGHTS } from '../columns.ts';

/** An empty batch of the shape of another, for `rows` rows of which `filled` will be samples. */
export function emptyLike(like: Batch, rows: number, filled: number): Batch {
  const batch: Batch = {
    rows,
    filled,
    keys: new Uint8Array(filled * SAMPLE_KEY_BYTES),
    ordinals: new Uint32Array(filled),
    sizes: { ...like.sizes, batch: rows },
    columns: Object.fromEntries(
      Object.entries(like.columns).map(([name, { type, dims }]) => [
        name,
        zeros(type as Exclude<DataType, 'string'>, [rows, ...dims.slice(1)]),
      ]),
    ),
  };
  for (let row = 0; row < rows; row++) clearRow(batch, row);
  (batch.columns[ROW_WEIGHTS]?.data as Float32Array | undefined)?.fill(1, 0, filled);
  return batch;
}

/** Makes a row one that is no sample. */
export function clearRow({ columns, rows }: Batch, row: number): void {
  for (const [name, column] of Object.entries(columns)) {
    const values = rowOf(column, rows, row);
    if (values instanceof BigInt64Array) values.fill(0n);
    else values.fill(name === LABELS || name.startsWith(`${LABELS}/`) ? -1 : 0);
    // A text has a token at least.
    if (name === ATTENTION_MASK) (values as BigInt64Array)[0] = 1n;
  }
}

/** Copies row `from` of a batch to row `to` of another of the same shape: its columns, key and ordinal. */
export function copyRow(source: Batch, from: number, target: Batch, to: number): void {
  target.ordinals[to] = source.ordinals[from] as number;
  target.keys.set(keyOf(source, from), to * SAMPLE_KEY_BYTES);
  for (const [name, column] of Object.entries(source.columns)) {
    const written = rowOf(target.columns[name] as Tensor, target.rows, to);
    (written as Float32Array).set(rowOf(column, source.rows, from) as Float32Array);
  }
}

/** The key of a row. */
export function keyOf({ keys }: Pick<Batch, 'keys'>, row: number): Uint8Array {
  return keys.subarray(row * SAMPLE_KEY_BYTES, (row + 1) * SAMPLE_KEY_BYTES);
}

/** A batch without the rows that only fill it up; its columns share the memory of the other's. One without samples stays as it is. */
export function withoutFilling(batch: Batch): Batch {
  const { rows, filled } = batch;
  if (filled === rows || filled === 0) return batch;
  const columns = Object.entries(batch.columns).map(([name, column]): [string, Tensor] => {
    const data = column.data as Values;
    const kept = data.subarray(0, (data.length / rows) * filled);
    return [name, { ...column, dims: [filled, ...column.dims.slice(1)], data: kept } as Tensor];
  });
  return {
    ...batch,
    rows: filled,
    sizes: { ...batch.sizes, batch: filled },
    columns: Object.fromEntries(columns),
  };
}

type Values = Float32Array | Int32Array | BigInt64Array;

/** The values of a row, as a view. */
export function rowOf(column: Tensor, rows: number, row: number): Values {
  const values = column.data as Values;
  const width = values.length / rows;
  return values.subarray(row * width, (row + 1) * width);
}
