import { z } from 'zod';
import type { DataType } from '../onnx/data-type.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** What an objective is computed from: values of the training step's graph. */
export interface ObjectiveInputs {
  /** The student's outputs and taps, by name. */
  student(name: string): TypedValue;
  /** What the teacher said of this batch, by tap: an input of the step, float32 [batch, ...dims]. */
  knowledge(tap: string, dims: readonly number[]): TypedValue;
  /** The labels, int32 [batch]; -1 where there is none. An input of the step. */
  labels(): TypedValue;
  /** float32 [batch]: 1 for a sample, 0 for a row that only fills the batch. An input of the step. */
  rowWeights(): TypedValue;
  /** Any other input of the step; terms that ask for the same name share it. */
  input(name: string, type: DataType, dims: readonly number[]): TypedValue;
}

/** One term of the loss. Building it is pure: values in, a scalar out. */
export interface ObjectiveTerm {
  /** As in the recipe and in metrics: `kd`, `labels`. */
  readonly name: string;
  /** How much it counts in the total. */
  readonly weight: number;
  build(g: GraphBuilder, inputs: ObjectiveInputs): TypedValue;
}

/** What a term may depend on besides its options. */
export interface ObjectiveContext {
  readonly classes: number;
}

/** An entry of the registry of losses: a term that recipes can weigh. */
export interface ObjectiveKind<
  Name extends string = string,
  Options extends z.ZodObject<{ weight: z.ZodType<number> }> = z.ZodObject<{ weight: z.ZodType<number> }>,
> {
  /** Its key under `objective` in recipes, and its name in metrics. */
  readonly name: Name;
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  term(options: z.output<Options>, context: ObjectiveContext): ObjectiveTerm;
}

/** Lets `term` be typed by the options beside it. */
export function defineObjective<
  Name extends string,
  Options extends z.ZodObject<{ weight: z.ZodType<number> }>,
>(objective: ObjectiveKind<Name, Options>): ObjectiveKind<Name, Options> {
  return objective;
}

/** The option `weight` that every term has; a term of weight 0 is left out. */
export function termWeight(weight: number) {
  return z.number().min(0).max(1000).default(weight).describe("The term's weight; 0 leaves it out.");
}

/** sum(weights * values) / max(sum(weights), 1) over vectors [batch]: the mean over the rows that count. */
export function weightedMean(g: GraphBuilder, values: TypedValue, weights: TypedValue): TypedValue {
  const sum = g.reduceSum(g.mul(values, weights), { keepDims: false });
  return g.div(sum, g.max(g.reduceSum(weights, { keepDims: false }), 1));
}
