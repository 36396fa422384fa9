import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import type { ObjectiveInputs } from './objective.ts';
import type { OutputNames } from './output-names.ts';

/** The rows of a value: all axes but the last one are counted through. */
export interface AnswerRows {
  /** The sizes of the axes that are counted through: [batch], or [batch, sequence]. */
  readonly dims: readonly number[];
  readonly width: number;
}

/**
 * How an output is read as rows of `width` numbers.
 *
 * @throws LimbeckError `train.objective-output` when it is no float32 with two axes or more of known sizes
 */
export function answerRows(value: TypedValue, { output, term }: OutputNames): AnswerRows {
  const { type, shape } = value;
  const dims = shape.filter((dim): dim is number => typeof dim === 'number');
  const problem =
    type !== 'float32'
      ? `is ${type}, not float32`
      : shape.length < 2
        ? `has the shape ${formatShape(shape)}: a row of numbers for each sample is needed`
        : dims.length < shape.length
          ? `has the size ${shape.find((dim) => typeof dim === 'string')}, which is not known`
          : undefined;
  if (problem) {
    throw new LimbeckError('train.objective-output', `the output '${output}' ${problem}`, {
      where: `objective ${term}, output '${output}': ${type}${formatShape(shape)}`,
      remedy: 'Name another output, float32 [batch, ..., width].',
    });
  }
  return { dims: dims.slice(0, -1), width: dims.at(-1) as number };
}

/** A value as a matrix of its rows, or (without `width`) as a vector with an element for each. */
export function flattenRows(
  g: GraphBuilder,
  value: TypedValue,
  rows: AnswerRows,
  width?: number,
): TypedValue {
  if (rows.dims.length === 1) return value;
  return g.reshape(value, width === undefined ? [-1] : [-1, width]);
}

/** An output as a matrix of its rows, and the inputs of a step beside it, in the same form. */
export interface AnswerMatrix {
  /** float32 [rows, width] */
  readonly answers: TypedValue;
  readonly width: number;
  /** float32 [rows, width]: what the teacher said; its width may be another one. */
  teacher(width?: number): TypedValue;
  /** int32 [rows]: the class of each row; -1 where there is none. */
  classLabels(): TypedValue;
  /** float32 [rows, width]: what is true. */
  numbers(): TypedValue;
  /** float32 [rows] */
  rowWeights(): TypedValue;
}

/** Reads an output row by row: [batch, width], or [batch, sequence, width] with labels and weights for every position. */
export function answerMatrix(g: GraphBuilder, inputs: ObjectiveInputs, names: OutputNames): AnswerMatrix {
  const value = inputs.student(names.output);
  const rows = answerRows(value, names);
  const { dims, width } = rows;
  const whole = [...dims, width];
  return {
    answers: flattenRows(g, value, rows, width),
    width,
    teacher(other = width) {
      const meaning = `the teacher's answer for '${names.output}'`;
      const told = inputs.input(`knowledge/${names.tap}`, 'float32', [...dims, other], meaning);
      return flattenRows(g, told, rows, other);
    },
    classLabels() {
      const meaning = 'the class of each row, from 0; -1 where there is none';
      return flattenRows(g, inputs.input(names.labels, 'int32', dims, meaning), rows);
    },
    numbers() {
      const meaning = `what '${names.output}' should be`;
      return flattenRows(g, inputs.input(names.labels, 'float32', whole, meaning), rows, width);
    },
    rowWeights: () => flattenRows(g, inputs.input(names.rowWeights, 'float32', dims, ROW_WEIGHTS), rows),
  };
}

export const ROW_WEIGHTS = 'how much each row counts: 1, or 0 for one that only fills the batch';
