import type { z } from 'zod';
import type { Evaluation, MetricInfo } from '../../metrics/metric.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { RandomStream } from '../../random.ts';
import type { Student } from '../../students/student.ts';
import type { FourBitForm } from '../blockwise.ts';
import type { Ranges } from '../range.ts';
import type { WeightOptions } from '../weight-form.ts';

/** When a transform is applied: to the student before it is trained, while it is, or after it was. */
export type TransformPhase = 'before' | 'during' | 'after';

/** What every transform is told. */
export interface TransformContext {
  /** Its place in the recipe, for errors: `compress[0]`. */
  readonly where: string;
  /** The model's outputs by name, the main one first. */
  readonly outputs: readonly string[];
  /** How the student leaves in 4 bits; absent where it leaves without such a file. */
  readonly fourBit?: Pick<FourBitForm, 'block' | 'expand'> | undefined;
  /** A random stream of its own, by labels; it depends on the recipe's seed and on the place in the list alone. */
  random(...labels: (string | number)[]): RandomStream;
}

/** What the steps of a training have in the place of the student. */
export interface TransformedTraining {
  /** What is trained: the parameters of the student under their names, and more where the transform brings some. */
  readonly student: Student;
  /** Terms of the loss beside the recipe's. */
  readonly terms?: readonly ObjectiveTerm[];
  /** The student that goes on (to later transforms, to the export), made of the trained one; that one itself when absent. */
  finish?(trained: Student): Student;
}

/** A student further trained, by the parameters of its best evaluation. */
export interface MeasuredStudent {
  readonly student: Student;
  /** Its metrics on the validation split. */
  readonly validation: Evaluation;
}

/** How a student is trained further. */
export interface Retraining {
  /** Passes over the training samples. */
  readonly epochs: number;
  /** At its highest, as a part of the recipe's own (1). */
  readonly learningRate?: number;
  /** A network whose answers count as those of one more teacher, in its evaluation form: what the student was before. */
  readonly keep?: { readonly graph: Graph; readonly weight: number };
  /** Terms beside those of the recipe's objective. */
  readonly terms?: readonly ObjectiveTerm[];
  /**
   * Whether the recipe's objective counts (true); without it the terms and `keep` are the whole loss. `exits`: only as far as a
   * student's early exits learn by it.
   */
  readonly objective?: boolean | 'exits';
  /** Looks at what each step left, by name; what it throws ends the training. */
  inspect?(tensors: Readonly<Record<string, Tensor>>): void;
  /** Which parameters are taken: of the best evaluation, or the last ones, where metrics say nothing of what is learnt (best). */
  readonly select?: 'best' | 'last';
}

/** What a transform has at hand after the training. */
export interface AfterContext extends TransformContext {
  /** What students are judged by. */
  readonly metric: MetricInfo;
  /** The metrics of the given student on the validation split. */
  readonly validation: Evaluation;
  /**
   * Trains a student further, with the recipe's data, objective and optimizer; one that was cut off goes on to the same bits.
   * Only what is among its `parameters` is changed.
   *
   * @param name of this training among those of the transform: `round-1`
   */
  retrain(name: string, student: Student, how: Retraining): Promise<MeasuredStudent>;
  /** The metrics of a student on the validation split. */
  measure(student: Student): Promise<Evaluation>;
  /** Gradients of the recipe's loss on so many batches of training samples, batch by batch, by the names of parameters. */
  gradients(
    student: Student,
    batches: number,
    visit: (gradients: ReadonlyMap<string, Float32Array>) => void,
  ): Promise<void>;
  /** The int8 file that the student will leave with; absent where it leaves without one. */
  readonly int8?: {
    readonly weights: WeightOptions;
    /** The ranges of all that int8 quantises in a graph, seen on some training samples. */
    ranges(graph: Graph): Promise<Ranges>;
  };
  /** How many training steps so many passes over the training samples are. */
  stepsIn(epochs: number): number;
  /** Says something in the log. */
  tell(message: string): void;
  /** Warns a person, also in the report. */
  warn(message: string): void;
}

/** A step on the way of a transform: a round of pruning, a part of a distillation. */
export interface TransformRound {
  readonly name: string;
  readonly parameters: number;
  /** Of one sample; undefined where the graph leaves shapes open. */
  readonly multiplications?: number | undefined;
  /** Metrics on the validation split before anything was trained again, and after. */
  readonly cut?: Evaluation;
  readonly validation: Evaluation;
}

/** What a transform makes of a trained student. */
export interface TransformedStudent extends MeasuredStudent {
  /** What was done, for the report: `half of the channels of 12 layers, by L1`. */
  readonly summary: string;
  readonly rounds?: readonly TransformRound[];
}

/**
 * A change of a student that makes it smaller or faster: student in, student out. An entry of the registry (`index.ts`);
 * recipes list them under `compress`. It has at least one of `before`, `during` and `after`.
 *
 * All of them have to depend on nothing but what they are given: a run that goes on calls them again.
 */
export interface Transform<Kind extends string = string, Options extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  /** For people: `structured pruning`. */
  readonly title: string;
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  /** Changes the student with its first parameters. @throws LimbeckError `compress.invalid` where it does not fit */
  before?(student: Student, options: z.output<Options>, context: TransformContext): Student;
  /** Changes what the steps train. @throws LimbeckError `compress.invalid` where it does not fit */
  during?(student: Student, options: z.output<Options>, context: TransformContext): TransformedTraining;
  /** Changes the trained student. @throws LimbeckError `compress.invalid` where it does not fit */
  after?(student: Student, options: z.output<Options>, context: AfterContext): Promise<TransformedStudent>;
  /**
   * What `after` is going to make of a student, in shape: asked before anything is trained, so that what cannot work is refused
   * before it costs time. Undefined where only training can tell; later transforms are not foreseen then.
   *
   * @throws what `after` would throw
   */
  foresee?(
    student: Student,
    options: z.output<Options>,
    context: TransformContext,
  ): Promise<Student | undefined>;
  /** Of the phases that it has, those in which it does something with these options; all of them when absent. */
  phases?(options: z.output<Options>): readonly TransformPhase[];
  /** Whether `during` has anything to do with these options; always when absent. */
  trains?(options: z.output<Options>): boolean;
  /** Passes over the training samples that `after` takes, for plans; 0 when absent. */
  epochs?(options: z.output<Options>): number;
}

/** Lets the functions be typed by the options beside them. */
export function defineTransform<Kind extends string, Options extends z.ZodObject>(
  transform: Transform<Kind, Options>,
): Transform<Kind, Options> {
  return transform;
}

/** The phases in which a transform does something with these options. */
export function phasesOf(transform: Transform, options: z.output<z.ZodObject>): TransformPhase[] {
  const wanted = transform.phases?.(options);
  return (['before', 'during', 'after'] as const).filter(
    (phase) =>
      transform[phase] !== undefined &&
      wanted?.includes(phase) !== false &&
      (phase !== 'during' || transform.trains?.(options) !== false),
  );
}
