import { arrayTypeOf, type DataType } from '../../onnx/data-type.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import { type ColumnSpec, ROW_WEIGHTS, weightName } from '../columns.ts';
import type { Movement, Processor } from '../modalities/modality.ts';
import { outputBit, type RecordLayout, shapeOf } from './record-layout.ts';

/** What the columns of a batch are of. */
export interface RecordColumns {
  readonly inputs: readonly { readonly name: string; readonly processor: Processor }[];
  /** `weighted`: whether batches say in a column which rows have a value. */
  readonly outputs: readonly {
    readonly name: string;
    readonly weighted: boolean;
    /** Columns that are made of those in the files. */
    readonly live?: LiveOutput | undefined;
  }[];
  /** The name of the axis that buckets have different lengths on. */
  readonly axis: string | undefined;
}

/** Columns of an output that lie in no file. */
export interface LiveOutput {
  readonly columns: readonly ColumnSpec[];
  /** As `LiveColumns.write` has it. */
  write(columns: Readonly<Record<string, Tensor>>, row: number, movement: Movement | undefined): void;
}

/** All columns of a batch, filled with their padding. */
export function emptyColumns(
  { inputs, outputs, axis }: RecordColumns,
  layout: RecordLayout,
  rows: number,
): Record<string, Tensor> {
  const columns: Record<string, Tensor> = {};
  const add = (spec: ColumnSpec) => {
    columns[spec.name] = emptyColumn(spec, [rows, ...shapeOf(spec, axis, layout.length)]);
  };
  for (const { processor } of inputs) for (const spec of processor.columns) add(spec);
  for (const places of layout.outputs) for (const { spec } of places) add(spec);
  for (const { live } of outputs) for (const spec of live?.columns ?? []) add(spec);
  const weights = [
    ROW_WEIGHTS,
    ...(inputs.length > 1 ? inputs.map(({ name }) => weightName(name)) : []),
    ...outputs.filter(({ weighted }) => weighted).map(({ name }) => weightName(name)),
  ];
  for (const name of weights) columns[name] = tensor('float32', [rows], new Float32Array(rows));
  return columns;
}

/** What copies the columns of each output from a record to a row of a batch. */
export function outputCopies(
  { outputs }: RecordColumns,
  layout: RecordLayout,
  columns: Readonly<Record<string, Tensor>>,
): ((record: Uint8Array, present: number, row: number) => void)[] {
  return outputs.map(({ name, weighted }, i) => {
    const bit = outputBit(i);
    const weights = weighted ? partWeights(columns, name) : undefined;
    const places = (layout.outputs[i] ?? []).map(({ spec, at, bytes }) => {
      const { buffer, byteOffset, byteLength } = (columns[spec.name] as Tensor).data as Float32Array;
      return { at, bytes, to: new Uint8Array(buffer, byteOffset, byteLength) };
    });
    return (record, present, row) => {
      if ((present & bit) === 0) return;
      if (weights) weights[row] = 1;
      for (const { at, bytes, to } of places) to.set(record.subarray(at, at + bytes), row * bytes);
    };
  });
}

/** Which rows of a batch have an input, or a value of an output. */
export function partWeights(columns: Readonly<Record<string, Tensor>>, part: string): Float32Array {
  return columns[weightName(part)]?.data as Float32Array;
}

/** A column of nothing but padding. */
export function emptyColumn({ type, pad }: ColumnSpec, dims: readonly number[]): Tensor {
  const data = new (arrayTypeOf(type as Exclude<DataType, 'string'>))(elementCount(dims));
  if (pad !== 0) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(pad));
    else data.fill(pad);
  }
  return tensor(type, dims, data);
}
