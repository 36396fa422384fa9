import type { z } from 'zod';
import type { GroundTruth } from '../data/ground-truth.ts';
import type { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import type { Answers, MeasuredBatch, Metric } from '../metrics/metric.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { FeatureKind, Features, ParameterMaking } from './features.ts';
import type { InnerKnowledge } from './inner/inner-knowledge.ts';
import type { KeptForm } from './kept-form.ts';

/** What reading the truth of an output may need of the run. */
export interface TargetContext {
  /** Of the texts, where there are some: what spans of characters are counted in. */
  readonly tokenizer?: Tokenizer | undefined;
}

/** What a layer for an output is made with. */
export interface LayerContext<Options, Space> {
  readonly options: Options;
  readonly space: Space;
  /** The name of the output, for errors. */
  readonly output: string;
  /** The scope of its parameters: `classifier`, `heads/OUTPUT`. */
  readonly scope: string;
  /** The column with its truth: `labels`, `labels/OUTPUT`; names of others begin with it. */
  readonly labels: string;
  /** What `prior` found in the labelled training samples. */
  readonly prior?: Float32Array | undefined;
}

/** What an output is measured with. */
export interface MeasureContext<Options, Space> {
  readonly options: Options;
  readonly space: Space;
  /** The column with the truth: `labels`, `labels/OUTPUT`; `knowledge/OUTPUT` where only the teacher knows it. */
  readonly labels: string;
  /** The column float32 [rows] that is 0 where a row's truth is missing, where the truth does not say so itself. */
  readonly weights?: string | undefined;
  /** Of pairs: the columns float32 [rows] that are 0 where a side is missing. */
  readonly sides?: readonly string[] | undefined;
  /** What `tune` chose on the validation split. */
  readonly tuned?: readonly number[] | undefined;
}

/** Chooses, on a model's answers to the validation split, what its outputs are read with: a threshold for each class. */
export interface Tuning {
  add(answers: Answers, batch: MeasuredBatch): void;
  result(): readonly number[];
}

/** Finds, in labelled training samples, what a layer's answers begin with. */
export interface Prior {
  add(batch: MeasuredBatch): void;
  /** Added to the layer's answer: a number for each of its outputs. */
  result(): Float32Array;
}

/** Losses by their names in the registry of objectives, with their weights (and other options) where a recipe gives none. */
export type ObjectiveWeights = Readonly<
  Record<string, number | { readonly weight: number; readonly [option: string]: unknown }>
>;

/**
 * A kind of answer: its truth, the layer that makes it from a backbone's features, its losses, its metrics. An entry of the
 * registry (`index.ts`); a new one is a file and a line.
 */
export interface Target<
  Kind extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
  Space = unknown,
> {
  readonly kind: Kind;
  /** For people: `one class`, `several classes`. */
  readonly title: string;
  /** The column that it is read from where a recipe names none; `label` when absent. */
  readonly field?: string;
  /** What stands beside `target` and `field` in a recipe's `outputs`. */
  readonly options: Schema;
  readonly features: FeatureKind;
  /** Features that its options ask for besides, with the option that does. */
  asksAlso?(
    options: z.output<Schema>,
  ): { readonly features: FeatureKind; readonly option: string } | undefined;
  /** Whether texts are read whole, in pieces of `data.maxLength` tokens that follow each other, and not cut off there. */
  readonly readsDocuments?: boolean;
  /** How its values come from rows into batches. */
  truth(options: z.output<Schema>, context: TargetContext): GroundTruth<unknown, Space>;
  /** What is known of its values where no row has one: vectors that only the teacher gives. Absent where truth is needed. */
  spaceOf?(options: z.output<Schema>): Space | undefined;
  /**
   * What a teacher's answers [rows, ...] say is true, where only a teacher knows: a column as `truth` gives it, with its mark of
   * what is missing where an answer is none (NaN). Absent where the answers themselves are compared with.
   */
  decide?(answers: Tensor): Tensor;
  /**
   * What a teacher's answer to a sample says, in words: of two answers with the same words nothing different can be learnt,
   * whatever their numbers are. Undefined for an answer that is like no other. Absent where the numbers are all that is said.
   */
  saying?(answer: Float32Array, space: Space): string | undefined;
  /** The equal parts of an answer that stand each for itself, for people: the sides of a pair. */
  readonly answerParts?: readonly string[];
  /** Begins to find what the layer's answers begin with; absent where 0 is as good as any number. */
  prior?(context: MeasureContext<z.output<Schema>, Space>): Prior;
  /** The layer from features to the output, whose first axis is the batch. */
  attach(
    g: GraphBuilder,
    make: ParameterMaking,
    features: Features,
    context: LayerContext<z.output<Schema>, Space>,
  ): TypedValue;
  /** What a student is trained with: `labels` towards the truth, `teacher` towards a teacher's answers. */
  readonly objective: { readonly labels: ObjectiveWeights; readonly teacher: ObjectiveWeights };
  /** What a student is taught with where that depends on the options, as a recipe states them; `objective.teacher` where undefined. */
  taughtBy?(stated: Readonly<Record<string, unknown>>): ObjectiveWeights | undefined;
  /**
   * What its metrics are made of, [rows, ...], where that is much less than an answer. They are given this instead of answers.
   *
   * @param written what a model that `writes` wrote, where it was asked to
   */
  reduce?(
    answers: Answers,
    batch: MeasuredBatch,
    context: MeasureContext<z.output<Schema>, Space>,
    written?: Answers,
  ): Answers;
  /**
   * Whether what ships writes its answer piece by piece, each from those that it wrote before: files that are measured have an
   * output `OUTPUT/written` then. Answers in training are to the true pieces before each, which batches bring as an input.
   */
  readonly writes?: boolean;
  /** The numbers that it is judged by, the most telling first. */
  metrics(context: MeasureContext<z.output<Schema>, Space>): Metric[];
  /** Begins to choose what the output is read with once it is trained; absent where it is read as it is. */
  tune?(context: MeasureContext<z.output<Schema>, Space>): Tuning;
  /** How far its numbers lie apart, where they are in a unit of their own: losses count errors in it. */
  spread?(space: Space): number;
  /** What attributions, dynamic weights, boundaries and the like are of its answers, and which of them have no meaning; `UNTOLD` when absent. */
  readonly inner?: InnerKnowledge;
  /** A space as data may have it: by this the names of its metrics are known before any are read. */
  readonly example?: Space;
  /** The same where sizes of it are in the options. */
  exampleOf?(options: z.output<Schema>): Space;
  /** The metric that the best step of a training is chosen by. */
  readonly selection: string;
  /** The same where it depends on the options; `selection` where undefined. */
  judgedBy?(options: z.output<Schema>): string | undefined;
  /**
   * How a teacher's answers are kept: `float16-centred` where a number that is in all of a sample's answers says nothing
   * (a softmax), `float32` where every digit counts.
   */
  readonly encoding: 'float16' | 'float16-centred' | 'float32';
  /** What is kept of a teacher's answers, where that is not the whole of them; absent, or undefined, where they are kept whole. */
  keep?(options: z.output<Schema>, space: Space): KeptForm | undefined;
  /** The sizes of an answer behind the batch, where they follow from the space: those of maps. */
  dims?(space: Space): readonly number[];
  /** The names of its classes, where it has some. */
  classes?(space: Space): readonly string[];
  /** Its part of a student's `config.json`. */
  config(
    space: Space,
    options: z.output<Schema>,
    tuned?: readonly number[],
  ): Readonly<Record<string, unknown>>;
}

/** Lets methods be typed by the options and the space beside them. */
export function defineTarget<Kind extends string, Schema extends z.ZodObject, Space>(
  target: Target<Kind, Schema, Space>,
): Target<Kind, Schema, Space> {
  return target;
}

/** What a student is taught with towards a teacher's answers. @param stated options of the output in the recipe */
export function taughtWith(target: AnyTarget, stated: Readonly<Record<string, unknown>>): ObjectiveWeights {
  return target.taughtBy?.(stated) ?? target.objective.teacher;
}

/** A target without its own types, for code that handles all alike. */
export type AnyTarget = Target<string, z.ZodObject, unknown>;
