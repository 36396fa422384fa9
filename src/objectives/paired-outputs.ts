import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { answerMatrix, ROW_WEIGHTS } from './answer-rows.ts';
import type { ObjectiveContext, ObjectiveInputs } from './objective.ts';
import { namesFor, rowWeightsOf } from './output-names.ts';
import { unitRows } from './unit-rows.ts';

/** The option of a loss that compares two outputs of one batch with each other. */
export const outputsOption = z
  .tuple([z.string().min(1).max(200), z.string().min(1).max(200)])
  .describe(
    "Two of the student's outputs, float32 [batch, width] of one width: row i of both belongs together.",
  );

/** Embeddings of two modalities, of which row i of one belongs to row i of the other. */
export interface PairedInputs {
  /** float32 [B, D], of length 1 each. */
  readonly first: TypedValue;
  /** float32 [B, D], of length 1 each. */
  readonly second: TypedValue;
  /** float32 [B]: 0 where either side is missing; such a row is no negative of others either. */
  readonly rowWeights: TypedValue;
}

/** The name of a term about two outputs: `infoNce/A+B`. */
export function pairedName(kind: string, [first, second]: readonly [string, string]): string {
  return `${kind}/${first}+${second}`;
}

/** Both outputs, each row of length 1, and the weights of the rows that have both. */
export function pairedOutputs(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  kind: string,
  outputs: readonly [string, string],
  context: ObjectiveContext,
): PairedInputs {
  const [first, second] = outputs.map((output) => answerMatrix(g, inputs, namesFor(kind, output, context)));
  if (first!.width !== second!.width || first!.answers.shape[0] !== second!.answers.shape[0]) {
    throw new LimbeckError(
      'train.objective-output',
      `'${outputs[0]}' and '${outputs[1]}' cannot be compared`,
      {
        where: `objective ${pairedName(kind, outputs)}: ${first!.answers.shape[0]} rows of ${first!.width} and ${second!.answers.shape[0]} rows of ${second!.width} numbers`,
        remedy: 'Give both outputs the same width.',
      },
    );
  }
  return {
    first: unitRows(g, first!.answers),
    second: unitRows(g, second!.answers),
    rowWeights: pairedWeights(g, inputs, outputs, first!.answers.shape[0] as number, context),
  };
}

/** float32 [B]: the product of both sides' weights. */
export function pairedWeights(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  outputs: readonly [string, string],
  batch: number,
  context: ObjectiveContext,
): TypedValue {
  const names = new Set(outputs.map((output) => rowWeightsOf(output, context)));
  return [...names]
    .map((name) => inputs.input(name, 'float32', [batch], ROW_WEIGHTS))
    .reduce((product, weights) => g.mul(product, weights));
}

/** What is added to similarities [B, B] so that a softmax over the rows that count sees no other: [1, B]. */
export function countedColumns(g: GraphBuilder, rowWeights: TypedValue): TypedValue {
  const counts = g.cast(g.greater(rowWeights, 0), 'float32');
  return g.unsqueeze(g.mul(g.sub(counts, 1), HIDDEN), [0]);
}

/** e^-1e9 is 0 in float32. */
const HIDDEN = 1e9;

/** The elements of [B, B] at which row and column are one: [B]. */
export function diagonal(g: GraphBuilder, matrix: TypedValue): TypedValue {
  return g.reduceSum(g.mul(matrix, identity(g, matrix.shape[0] as number)), { axes: [1], keepDims: false });
}

/** The identity matrix [B, B]. */
export function identity(g: GraphBuilder, size: number): TypedValue {
  const ones = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  return g.constant(float32(ones, [size, size]));
}
