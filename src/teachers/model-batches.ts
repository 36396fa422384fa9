import { type Batch, columnOf } from '../data/batch.ts';
import { withoutFilling } from '../data/batches/batch-rows.ts';
import { ANSWER_PLACES, SEQUENCE } from '../data/columns.ts';
import { LimbeckError } from '../errors.ts';
import type { Value } from '../onnx/graph.ts';
import { elementCount, type Tensor, zeros } from '../onnx/tensor.ts';
import type { TeacherOutput } from './teacher.ts';
import { INPUT_IDS, TOKEN_TYPE_IDS } from './teacher-source.ts';

export interface AnswersOptions {
  readonly outputs: Readonly<Record<string, TeacherOutput>>;
  readonly taps: readonly string[];
  readonly batch: Batch;
  /** For people. */
  readonly title: string;
}

/**
 * What a model gave as the answers to a batch: of its `filled` rows.
 *
 * @throws LimbeckError `teacher.outputs` for values of another shape than declared, `teacher.not-finite`
 */
export function answersOf(
  results: Readonly<Record<string, Tensor>>,
  { outputs, taps, batch, title }: AnswersOptions,
): Record<string, Float32Array> {
  const labels: Record<string, Float32Array> = {};
  for (const tap of taps) {
    const { dims, answered } = outputs[tap] as TeacherOutput;
    const length = answered ? columnOf(batch, ANSWER_PLACES).dims[1] : batch.sizes[SEQUENCE];
    const size = elementCount(dims.map((dim) => (dim === SEQUENCE ? (length as number) : dim)));
    const values = (results[tap] as Tensor).data as Float32Array;
    if (values.length !== batch.rows * size) {
      throw new LimbeckError('teacher.outputs', `${title} gives ${tap} in another shape than it declares`, {
        where: `[${(results[tap] as Tensor).dims}] for a batch of ${batch.rows}`,
        remedy: 'Export the model again with the shapes that it has.',
      });
    }
    labels[tap] = values.subarray(0, batch.filled * size);
    checkFinite(labels[tap], size, tap, batch, title);
  }
  return labels;
}

/** @throws LimbeckError `teacher.tap` for a tap that a teacher does not have */
export function requireTaps(
  outputs: Readonly<Record<string, TeacherOutput>>,
  taps: readonly string[],
  title: string,
): void {
  for (const tap of taps) {
    if (tap in outputs) continue;
    throw new LimbeckError('teacher.tap', `${title} has no tap '${tap}'`, {
      where: `its taps: ${Object.keys(outputs).join(', ')}`,
      remedy: 'Name one of them.',
    });
  }
}

/** A batch as a model is asked about it: its samples alone, where the number of rows is free. */
export function asAsked(inputs: readonly Value[], batch: Batch): Batch {
  return inputs.some(({ shape }) => typeof shape?.[0] === 'number') ? batch : withoutFilling(batch);
}

/** A batch as a model's inputs, in their types; token types that a batch does not have are 0. */
export function feedsOf(inputs: readonly Value[], batch: Batch): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map(({ name, type }) => {
      const isMissing = name === TOKEN_TYPE_IDS && !batch.columns[name];
      // Of a single text all token types are 0.
      const column = isMissing ? zeros('int64', columnOf(batch, INPUT_IDS).dims) : columnOf(batch, name);
      return [name, inType(column, type)];
    }),
  );
}

/** A column in the model's own type: the same memory where they agree. */
function inType(column: Tensor, type: Value['type']): Tensor {
  if (type === undefined || column.type === type) return column;
  const { dims, data } = column;
  if (type === 'int32') return { type, dims, data: Int32Array.from(data as BigInt64Array, Number) };
  return { type: 'float32', dims, data: Float32Array.from(data as BigInt64Array, Number) };
}

function checkFinite(values: Float32Array, size: number, tap: string, batch: Batch, title: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value === 0) continue;
    const row = Math.floor(i / size);
    throw new LimbeckError('teacher.not-finite', `${title} answers ${value} for a sample`, {
      where: `${tap}, value ${i % size} of sample ${batch.ordinals[row]} of its split`,
      remedy:
        'Check the model on that sample (an empty text, an overflow in float16?), or leave the sample out.',
    });
  }
}
