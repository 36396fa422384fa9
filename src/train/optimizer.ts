import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** What an update may use besides the gradient: scalars, float32 []. */
export interface OptimizerScalars {
  readonly learningRate: TypedValue;
  /** The number of this update, from 1. */
  readonly step: TypedValue;
}

/** A rule that turns gradients into new parameters, as nodes of the training step. */
export interface Optimizer {
  readonly kind: string;
  /** Names of the tensors that it keeps for each parameter, of the parameter's shape, zero at first. */
  readonly slots: readonly string[];
  /** Emits what all parameters share (bias corrections and the like), then returns the update of one parameter. */
  prepare(g: GraphBuilder, scalars: OptimizerScalars): ParameterUpdate;
}

export type ParameterUpdate = (
  parameter: TypedValue,
  gradient: TypedValue,
  state: readonly TypedValue[],
) => { parameter: TypedValue; state: TypedValue[] };
