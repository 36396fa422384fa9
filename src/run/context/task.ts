import type { Batch } from '../../data/batch.ts';
import type { OrderOf } from '../../data/batches/curriculum-order.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { Split } from '../../data/split.ts';
import type { KeptSplits } from '../../data/splits/kept-splits.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PackageAddition, PackageModels } from '../../export/package-folder.ts';
import type { ReaderInput } from '../../export/shipped-reader.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Recipe, TextDistillRecipe } from '../../recipe/schema.ts';
import type { Student } from '../../students/student.ts';
import type { Head } from '../../targets/head.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import type { TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import type { RunContext } from './run-context.ts';
import type { SampleUnit } from './sample-unit.ts';

/** Batches to train on, and the compiled steps that they need. */
export interface TrainingData {
  readonly batches: BatchSource;
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The cheapest model of a kind of samples: linear in what they are made of. */
export interface LinearPeer {
  /** For people, e.g. `a linear model of n-grams`. */
  readonly title: string;
  /** Whether it can answer as the recipe's outputs do: it knows nothing of places in an image. */
  readonly fits: boolean;
  /** With its initial parameters. */
  build(): Student;
  /** Samples in a batch, of so many. */
  batchSize(samples: number): number;
  /** Its training samples, or the labelled ones of them: no tokens of theirs are hidden. */
  training(split: 'train' | 'labelled', knowledge?: ReadonlyMap<string, LabelSpace>): TrainingData;
}

/** A student as it leaves: its models and what says of them. */
export interface StudentPackage extends PackageModels {
  /** The same in other forms, beside those that every reader looks for. */
  readonly addition?: PackageAddition | undefined;
  /** Its outputs as they are to be read. */
  readonly heads: readonly Head[];
}

/** A teacher of texts that is trained before it labels: the only one, or one of several. */
export interface TeacherTraining {
  /** The run's recipe, with this teacher alone. */
  readonly recipe: TextDistillRecipe;
  readonly source: TextTeacherSource;
  /** Where it reads samples by a processor of its own. */
  readonly reads?: TeacherReading | undefined;
}

/** What became of a teacher, by its files. */
export interface ReadyTeacher {
  /** The float32 model. */
  readonly file: string;
  /** The model that labels: the same, or its int8 form. */
  readonly labellingFile: string;
  readonly precision: 'f32' | 'int8';
  /** How often int8 decided as float32 did; null when it was not tried. */
  readonly agreement: number | null;
}

/** What a kind of samples (texts, images) brings to the stages of a run, which are the same for all. */
export interface Task {
  readonly unit: SampleUnit;
  /** Who teaches; undefined in a recipe without a teacher. */
  readonly teacher: TeacherSource | undefined;
  /** What a teacher's answers depend on besides its model and the samples: part of the store's keys. */
  readonly preprocessing: string;
  /** Different ids that a tokenizer gives, which a teacher has to know. */
  readonly vocabularySize?: number;
  /** Columns that models are fed in their own type, where samples are neither texts nor images. */
  readonly columns?: readonly string[];
  /** Of texts: what cuts them into tokens. */
  readonly tokenizer?: Tokenizer;
  /** The text of a token, where samples are texts. */
  readonly token?: (id: number) => string;
  /** What was assumed of the teacher's files: sentences that a run tells before it reads the data. */
  readonly warnings?: readonly string[];
  /** Reads and splits the data, as `kept` has them where it is given, or finds it prepared by an earlier run. */
  prepareData(options: {
    readonly onProgress?: (samples: number) => void;
    readonly kept?: KeptSplits;
  }): Promise<TaskData>;
}

/** Why a teacher's tokens are not its student's, for errors. */
export interface ReadApart {
  /** `with another tokenizer than the teacher's (inputs.NAME.tokenizer)` */
  readonly where: string;
  /** A sentence: what makes both read the same. */
  readonly remedy: string;
}

/** How a teacher reads samples by a processor of its own, where the student has another one. */
export interface TeacherReading {
  /** Of its processor: part of the store's keys. */
  readonly preprocessing: string;
  /** Different ids that its tokenizer gives. */
  readonly vocabularySize?: number;
  /** Columns that it is fed in their own type, where they have other names than those of one model of texts. */
  readonly columns?: readonly string[];
  /** The text of one of its tokens. */
  readonly token?: (id: number) => string;
  /** Of texts: what sets it apart from the student. */
  readonly apart?: ReadApart;
  /** What there is to tell of the samples that were read until now. */
  told?(): readonly string[];
  /** The samples of a split under the same keys, as the teacher reads them. */
  split(split: Split): Split;
  /** A batch of a split as the teacher reads it. */
  batch(batch: Batch, split: Split): Batch;
}

/** One of several teachers. */
export interface TeacherMember {
  readonly title: string;
  /** The output of `teacher/members.onnx` that holds what it says alone. */
  readonly output: string;
  /** What it counts; null where that is computed for each sample. */
  readonly weight: number | null;
}

/** A task's data, and what depends on it. */
export interface TaskData {
  readonly task: Task;
  readonly dataset: Dataset<Split>;
  /** What models answer, the main output first. */
  readonly heads: readonly Head[];
  /** Of outputs that no column tells of: where the teacher's answers to held-out samples go (`withTaughtTruth`). */
  readonly taughtTruth?: {
    tell(split: 'validation' | 'test', answers: ReadonlyMap<string, LabelSpace>): void;
    assume(sizes: ReadonlyMap<string, readonly number[]>): void;
  };
  /** Where the teacher reads samples by a processor of its own (`asTeacherReads`). */
  readonly teacherReads?: TeacherReading;
  /** Where the teacher is a classifier already: which of its outputs the classes are. */
  readonly classes?: ClassMatch;
  /** All that the teacher is asked about for the training: every sample, in all its views. */
  readonly asked: Split;
  /** Of images: mean and deviation of each channel, by which their pixels (0 to 1) are normalised. */
  readonly pixelRange?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** The mask among a model's inputs, which says what counts when it is calibrated. */
  readonly calibrationMask?: string;
  /** The recipe's student with its initial parameters, in its training form. */
  buildStudent(): Student;
  /**
   * First contents of the student's parameters that are better than drawn ones, from the teacher's answers to the training
   * samples, or from what it is asked now; undefined where the student has none.
   */
  startStudent?(
    answers: ReadonlyMap<string, LabelSpace>,
    run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  ): Promise<ReadonlyMap<string, Float32Array> | undefined>;
  /**
   * The training samples, or the labelled ones of them, and those that were `added`, in the order that the recipe's seed
   * gives, or in that of `orderOf`.
   */
  training(
    split: 'train' | 'labelled',
    knowledge?: ReadonlyMap<string, LabelSpace>,
    added?: readonly Split[],
    orderOf?: OrderOf,
  ): TrainingData;
  /** What the teacher's model becomes before it labels: trained on the labelled samples, or as it is. */
  teach(run: RunContext): Promise<{
    model: Graph;
    validation: Evaluation | null;
    /** Where several teach: the same with what each says alone as further outputs, and what each came to count. */
    members?: { readonly model: Graph; readonly list: readonly TeacherMember[] };
  }>;
  /** The linear model that students are compared with. */
  readonly peer: LinearPeer;
  /** For people: the teacher after `teach`. */
  readonly teacherTitle: string;
  /** What is trained of the teacher before it labels; nothing when absent. */
  readonly trainings?: readonly TeacherTraining[];
  /** The key under which what the teacher becomes is remembered for plans, where that shows only once it is ready. */
  knownAs?(run: { readonly recipe: Pick<Recipe, 'seed'>; readonly engine: Pick<Engine, 'title'> }): string;
  /** Calls of `rows` samples from all over a split, as people would make them; of the columns that models read. */
  speedCalls(
    split: Split,
    rows: number,
    calls?: number,
    columns?: readonly string[],
  ): Generator<Readonly<Record<string, Tensor>>>;
  writeStudent(folder: string, content: StudentPackage): void;
  /**
   * A sample as somebody has it who reads the shipped student; undefined for one that readers are known to prepare
   * otherwise.
   */
  readerInput(split: Split, ordinal: number): ReaderInput | undefined;
  /** Bytes that a pass over the training samples reads into memory and keeps there. */
  readonly heldBytes: number;
}
