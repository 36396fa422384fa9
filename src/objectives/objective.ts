import { z } from 'zod';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { LayerMap } from '../onnx/anatomy/layer-map.ts';
import type { DataType } from '../onnx/data-type.ts';
import type { Dim, Graph, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import type { Head } from '../targets/head.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';

/** What an objective is computed from: values of the training step's graph. */
export interface ObjectiveInputs {
  /** The student's outputs and taps, by name. */
  student(name: string): TypedValue;
  /** Whether the student has a value of that name. */
  has(name: string): boolean;
  /**
   * The student once more, with the same parameters but other values for some of its inputs or inner values, by name:
   * what it makes of a disturbed image, or of other token embeddings. Batch normalisations take the statistics of
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
  /**
   * Any other input of the step; terms that ask for the same name share it.
   *
   * @param meaning what is fed there, for a person who runs the step by hand
   */
  input(name: string, type: DataType, dims: readonly number[], meaning?: string): TypedValue;
}

/** How the student is run once more. */
export interface Rerun {
  /** On the first so many rows of the batch; replaced values have so many. All rows when absent. */
  readonly rows?: number;
  /** `evaluation`: as the student that ships, by its running statistics, nothing dropped. `training` when absent. */
  readonly form?: 'training' | 'evaluation';
}

/**
 * A loss as a sum and what it is to be divided by, float32 [] each: whoever has several parts of a batch (micro-batches,
 * processes) adds both, and divides once. The loss is sum / max(count, 1).
 */
export interface SummedLoss {
  readonly sum: TypedValue;
  readonly count: TypedValue;
  /** sum / max(count, 1) where it is known without dividing, with fewer roundings. */
  readonly whole?: TypedValue;
}

/** A loss that is told row by row, so that rows can be weighed: the sum is that of weights * values, the count that of the weights. */
export interface RowLosses {
  /** float32 [batch] */
  readonly values: TypedValue;
  /** float32 [batch]: how much each row counts; 0 for one that only fills the batch. */
  readonly weights: TypedValue;
}

/**
 * What a term gives: a loss for each row, or a sum with its count. A scalar alone is a loss that depends on no sample (springs
 * at the parameters, what a model computes itself): of it every part of a batch gives its share.
 */
export type TermLoss = RowLosses | SummedLoss | TypedValue;

/** One term of the loss. Building it is pure: values in, a loss out. */
export interface ObjectiveTerm {
  /** As in metrics: `kd`, `labels`, `kd/OUTPUT`. */
  readonly name: string;
  /** How much it counts in the total. */
  readonly weight: number;
  build(g: GraphBuilder, inputs: ObjectiveInputs): TermLoss;
}

/**
 * What of a teacher a loss passes on: `token`, how tokens or places attend to each other; `sequence`, what its layers
 * make of a sample (hidden states, feature maps); `task`, how it answers (logits, labels, reasons, boundaries).
 */
export type KnowledgeLevel = 'token' | 'sequence' | 'task';

/** What a term may depend on besides its options. */
export interface ObjectiveContext {
  readonly classes: number;
  /** The output that terms are about that name none; `logits` when absent. */
  readonly mainOutput?: string;
  /** The student's outputs; absent where a model from a file is all there is. */
  readonly heads?: readonly Head[];
  /**
   * The inputs and outputs that a row may lack: they have weights of their own, `row_weights/NAME`. When absent, every output
   * has that is not the main one.
   */
  readonly weighted?: ReadonlySet<string>;
  /** Of pairs: the input that each side's vector is made from, by the vector's name; a row may lack it (`row_weights/INPUT`). */
  readonly sides?: ReadonlyMap<string, string>;
  /**
   * How far an output's numbers lie apart, by output (their standard deviation): errors are counted in it, so that a loss in
   * metres and one in millimetres are one. 1 when absent.
   */
  readonly spreads?: ReadonlyMap<string, number>;
  /** How wide the teacher's answers are, by tap, where they are vectors of another width than the student's. */
  readonly teacherWidths?: ReadonlyMap<string, number>;
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

/** The same context with some other values; the teacher's graph is read when a loss asks for it, and not before. */
export function withContext(context: ObjectiveContext, changes: Partial<ObjectiveContext>): ObjectiveContext {
  const descriptors = {
    ...Object.getOwnPropertyDescriptors(context),
    ...Object.getOwnPropertyDescriptors(changes),
  };
  return Object.defineProperties({}, descriptors) as ObjectiveContext;
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
  /** Of pairs: the tower that each side's vector comes from, by its name (`text_embeds`, `image_embeds`). */
  readonly towers?: ReadonlyMap<string, PairContext>;
}

/** An entry of the registry of losses: a term that recipes and `limbeck compile` can weigh. */
export interface ObjectiveKind<
  Kind extends string = string,
  Options extends z.ZodObject<{ weight: z.ZodType<number> }> = z.ZodObject<{ weight: z.ZodType<number> }>,
> {
  /** Its key under `objective` in recipes (or its `kind`, in a list), and its name in metrics. */
  readonly kind: Kind;
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  /** What of the teacher it passes on, by which stages choose; `task` when absent (see `KnowledgeLevel`). */
  readonly level?: KnowledgeLevel;
  /**
   * Whether it compares the rows of a batch with each other: then accumulated parts (`training.accumulate`) give the mean of
   * what each of them loses, not what the whole batch would lose. False when absent.
   */
  readonly relatesRows?: boolean;
  /** Whether it is computed on attacked samples: progressive distillation begins it last. False when absent. */
  readonly adversarial?: boolean;
  /** False where it has nothing to look at and is silently left out; always true when absent. */
  applies?(context: ObjectiveContext): boolean;
  /** The teacher's outputs whose answers it compares with the student's: taps that are kept as answers. */
  answers?(options: z.output<Options>, context: ObjectiveContext): readonly string[];
  /** What it needs of the teacher besides its answers. */
  knowledge?(options: z.output<Options>, context: ObjectiveContext): readonly KnowledgeRequest[];
  /** Options whose default is another one where no run decides anything: in a step that is compiled for a model from a file. */
  readonly compiled?: Readonly<Record<string, unknown>>;
  term(options: z.output<Options>, context: ObjectiveContext): ObjectiveTerm;
}

/** Lets `term` be typed by the options beside it. */
export function defineObjective<
  Kind extends string,
  Options extends z.ZodObject<{ weight: z.ZodType<number> }>,
>(objective: ObjectiveKind<Kind, Options>): ObjectiveKind<Kind, Options> {
  return objective;
}

/** The option `weight` that every term has; a term of weight 0 is left out. */
export function termWeight(weight: number) {
  return z.number().min(0).max(1000).default(weight).describe("The term's weight; 0 leaves it out.");
}

/** The scalar of what a term gave. */
export function meanLoss(g: GraphBuilder, loss: TermLoss): TypedValue {
  if ('values' in loss) return weightedMean(g, loss.values, loss.weights);
  return 'sum' in loss ? overCount(g, loss) : loss;
}

/** The sum of losses [...] that count by weights of the same shape, and the sum of the weights. */
export function summed(g: GraphBuilder, { values, weights }: RowLosses): SummedLoss {
  const sum = g.reduceSum(g.mul(values, weights), { keepDims: false });
  return { sum, count: g.reduceSum(weights, { keepDims: false }) };
}

/** sum / max(count, 1): a mean, and 0 where nothing counts. */
export function overCount(g: GraphBuilder, { sum, count, whole }: SummedLoss): TypedValue {
  return whole ?? g.div(sum, g.max(count, 1));
}

/**
 * A loss over how the rows of a batch relate to each other, float32 []: it counts as many times as there are rows that count,
 * so that a part of a batch with more of them has more of a say. What the rows of one part are to those of another no part
 * knows: over several parts it is the mean of what they lose among themselves.
 */
export function ofWholeBatch(g: GraphBuilder, loss: TypedValue, rowWeights: TypedValue): SummedLoss {
  const count = g.reduceSum(rowWeights, { keepDims: false });
  return { sum: g.mul(loss, count), count, whole: loss };
}

/** sum(weights * values) / max(sum(weights), 1): the mean over the rows that count. */
export function weightedMean(g: GraphBuilder, values: TypedValue, weights: TypedValue): TypedValue {
  return overCount(g, summed(g, { values, weights }));
}
