import { z } from 'zod';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { LayerMap } from '../onnx/anatomy/layer-map.ts';
import type { DataType } from '../onnx/data-type.ts';
import type { Dim, Graph, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';

/** What an objective is computed from: values of the training step's graph. */
export interface ObjectiveInputs {
  /** The student's outputs and taps, by name. */
  student(name: string): TypedValue;
  /**
   * The student once more, with the same parameters but other values for some of its inputs or inner values, by name:
   * what it makes of a disturbed picture, or of other token embeddings. Batch normalisations take the statistics of
   * this run's rows and leave the running ones alone.
   */
  rerun(replaced: ReadonlyMap<string, TypedValue>, how?: Rerun): (name: string) => TypedValue;
  /**
   * What the teacher said of this batch, by tap: an input of the step, float32 [batch, ...dims]. Sizes that depend on
   * the batch (`sequence`) may be named.
   */
  knowledge(tap: string, dims: readonly Dim[]): TypedValue;
  /**
   * A parameter that is trained beside the student and does not ship, like the projection between two widths. Terms
   * that ask for the same name share it. `initial` draws its first content.
   */
  parameter(
    name: string,
    dims: readonly number[],
    initial: (random: RandomStream) => Float32Array,
  ): TypedValue;
  /** The labels, int32 [batch]; -1 where there is none. An input of the step. */
  labels(): TypedValue;
  /** float32 [batch]: 1 for a sample, 0 for a row that only fills the batch. An input of the step. */
  rowWeights(): TypedValue;
  /** Any other input of the step; terms that ask for the same name share it. */
  input(name: string, type: DataType, dims: readonly number[]): TypedValue;
}

/** How the student is run once more. */
export interface Rerun {
  /** On the first so many rows of the batch; replaced values have so many. All rows when absent. */
  readonly rows?: number;
  /** `evaluation`: as the student that ships, by its running statistics, nothing dropped. `training` when absent. */
  readonly form?: 'training' | 'evaluation';
}

/** A loss that is told row by row, so that rows can be weighed: its scalar is `weightedMean(values, weights)`. */
export interface RowLosses {
  /** float32 [batch] */
  readonly values: TypedValue;
  /** float32 [batch]: how much each row counts; 0 for one that only fills the batch. */
  readonly weights: TypedValue;
}

/** One term of the loss. Building it is pure: values in, a scalar or a loss for each row out. */
export interface ObjectiveTerm {
  /** As in the recipe and in metrics: `kd`, `labels`. */
  readonly name: string;
  /** How much it counts in the total. */
  readonly weight: number;
  build(g: GraphBuilder, inputs: ObjectiveInputs): TypedValue | RowLosses;
}

/**
 * What of a teacher a loss passes on: `token`, how tokens or places attend to each other; `sequence`, what its layers
 * make of a sample (hidden states, feature maps); `task`, how it answers (logits, labels, reasons, boundaries).
 */
export type KnowledgeLevel = 'token' | 'sequence' | 'task';

/** What a term may depend on besides its options. */
export interface ObjectiveContext {
  readonly classes: number;
  /** What student and teacher have to offer; absent where a term is built for no run (a plan, a test). */
  readonly models?: PairContext;
  /** The teacher's float32 model, for losses that ask it inside the step. */
  readonly teacherGraph?: Graph;
  /**
   * A small model that learnt the teacher's answers before the student, for losses that ask it inside the step: the same
   * inputs as the student's, output `logits`.
   */
  readonly assistant?: Graph;
}

/** A student and its teacher, as far as terms look into them. */
export interface PairContext {
  readonly student: ModelAnatomy;
  readonly teacher: ModelAnatomy;
  /** Which layer of the teacher teaches which of the student, by recipe or by the knowledge graph. */
  readonly layers: LayerMap;
  /**
   * How much each head of each of the teacher's layers counts, by the knowledge graph, where there is one: a mean of 1
   * in every layer, empty for one without heads.
   */
  readonly headWeights?: readonly (readonly number[])[];
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
  /** What of the teacher it passes on, by which stages choose; `task` when absent (see `KnowledgeLevel`). */
  readonly level?: KnowledgeLevel;
  /** Whether it is computed on attacked samples: progressive distillation begins it last. False when absent. */
  readonly adversarial?: boolean;
  /** False where it has nothing to look at and is silently left out; always true when absent. */
  applies?(context: ObjectiveContext): boolean;
  /** What it needs of the teacher besides `logits`. */
  knowledge?(options: z.output<Options>, context: ObjectiveContext): readonly KnowledgeRequest[];
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

/** The scalar of what a term gave. */
export function meanLoss(g: GraphBuilder, loss: TypedValue | RowLosses): TypedValue {
  return 'values' in loss ? weightedMean(g, loss.values, loss.weights) : loss;
}

/** sum(weights * values) / max(sum(weights), 1) over vectors [batch]: the mean over the rows that count. */
export function weightedMean(g: GraphBuilder, values: TypedValue, weights: TypedValue): TypedValue {
  const sum = g.reduceSum(g.mul(values, weights), { keepDims: false });
  return g.div(sum, g.max(g.reduceSum(weights, { keepDims: false }), 1));
}
