import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { weightedMean } from './objective.ts';

export interface MeanSquaredErrorInputs {
  /** float32 [rows, width] */
  prediction: TypedValue;
  /** float32 [rows, width] */
  target: TypedValue;
  /** float32 [rows]: how much each row counts. */
  rowWeights: TypedValue;
}

/** The mean over rows of the mean over a row's squared errors: a scalar. */
export function meanSquaredError(
  g: GraphBuilder,
  { prediction, target, rowWeights }: MeanSquaredErrorInputs,
): TypedValue {
  const perRow = g.reduceMean(g.square(g.sub(prediction, target)), { axes: [1], keepDims: false });
  return weightedMean(g, perRow, rowWeights);
}
