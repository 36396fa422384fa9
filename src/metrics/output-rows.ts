import { LimbeckError } from '../errors.ts';
import type { TensorData } from '../onnx/data-type.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import type { Answers, MeasuredBatch } from './metric.ts';

/** What metrics over vectors of numbers are made for. */
export interface OutputOptions {
  /** The column with the truth, [rows, ...]; `labels` when absent. */
  readonly labels?: string;
  /** The column float32 [rows] that is 0 where a row's truth is missing; all rows count when absent. */
  readonly weights?: string;
}

/** What a model said of one sample, and what is true. */
export interface OutputRow {
  readonly ordinal: number;
  readonly answer: Float32Array;
  readonly truth: ArrayLike<number>;
}

/**
 * The answers to a batch's samples whose truth is known: all but those of weight 0 and those whose truth is NaN.
 * Throws LimbeckError `engine.not-finite` for NaN or infinity: a number must not be made of it.
 */
export function* outputRows(
  answers: Answers,
  { filled, ordinals, columns }: MeasuredBatch,
  { labels = 'labels', weights }: OutputOptions = {},
): Generator<OutputRow> {
  const truths = columnOf(columns, labels);
  const known = weights === undefined ? undefined : columnOf(columns, weights).data;
  for (let row = 0; row < filled; row++) {
    if (known && Number(known[row]) === 0) continue;
    const truth = rowOf(truths, row) as unknown as ArrayLike<number>;
    if (Number.isNaN(truth[0])) continue;
    const answer = rowOf(answers, row) as Float32Array;
    if (!answer.every(Number.isFinite)) {
      throw new LimbeckError('engine.not-finite', 'a model answered NaN or infinite numbers', {
        where: `sample ${ordinals[row]} of its split`,
        remedy: 'The model is damaged, or its training diverged: train it again with a lower learning rate.',
      });
    }
    yield { ordinal: ordinals[row] as number, answer, truth };
  }
}

/** The column of a batch. Throws where there is none: the metric was made for another output. */
export function columnOf(columns: MeasuredBatch['columns'], name: string): Tensor {
  const column = columns[name];
  if (!column) throw new Error(`a batch without the column ${name}`);
  return column;
}

/** Row `row` of a numeric [rows, ...], not copied. */
export function rowOf({ dims, data }: Tensor, row: number): TensorData {
  const width = elementCount(dims.slice(1));
  return (data as Float32Array).subarray(row * width, (row + 1) * width);
}
