import type { z } from 'zod';
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
  /**
   * The same rule with a slope of use everywhere, for graphs that differentiate an update; the rule itself when absent.
   * Its numbers may cost more, and where the rule has steps (signs) they are others.
   */
  prepareSmooth?(g: GraphBuilder, scalars: OptimizerScalars): ParameterUpdate;
}

export type ParameterUpdate = (
  parameter: TypedValue,
  gradient: TypedValue,
  state: readonly TypedValue[],
) => { parameter: TypedValue; state: TypedValue[] };

/** An entry of the registry of optimizers (`optimizers.ts`). */
export interface OptimizerKind<
  Kind extends string = string,
  Options extends z.ZodObject = z.ZodObject<{ learningRate: z.ZodType<number> }>,
> {
  readonly kind: Kind;
  /** The recipe's options, with defaults and descriptions; `learningRate`, the schedule's peak, is one of them. */
  readonly options: Options;
  create(options: z.output<Options>): Optimizer;
}

/** Lets `create` be typed by the options beside it. */
export function defineOptimizer<
  Kind extends string,
  Options extends z.ZodObject<{ learningRate: z.ZodType<number> }>,
>(entry: OptimizerKind<Kind, Options>): OptimizerKind<Kind, Options> {
  return entry;
}

/** Weight decay is for matrices and tables, as is usual: not for biases and normalisation scales. */
export function decays(parameter: TypedValue, weightDecay: number): boolean {
  return weightDecay > 0 && parameter.shape.length > 1;
}
