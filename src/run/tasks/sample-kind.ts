import type { ClassResolver } from '../../data/labels/class-labels.ts';
import type { Preprocessing } from '../../data/modalities/image/preprocessing.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Backbone, FrozenTower, GivenModel, GivenTowers } from '../../students/backbone.ts';
import type { Student } from '../../students/student.ts';
import type { Head } from '../../targets/head.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import type { RunContext } from '../context/run-context.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { SampleUnit } from '../context/sample-unit.ts';
import type { StudentPackage, TaskData } from '../context/task.ts';

/** A run, as far as its task depends on it. */
export interface RecipeRun {
  readonly recipe: Recipe;
  readonly options: RunOptions;
  /** What the student's texts are read by, where that is decided: of several teachers by the first. */
  readonly tokenizer?: Tokenizer | undefined;
}

/**
 * What samples of certain modalities bring to a run beside their columns, which the modalities themselves say: who can teach
 * them, which model of them is the simplest, what a reader of the shipped student is given. An entry of the list in `index.ts`.
 */
export interface SampleKind {
  /** What samples are called. */
  readonly unit: SampleUnit;
  /** The modalities of a recipe's inputs, in alphabetical order, joined by `+`: `image+text`. */
  readonly reads: string;
  /** Opens what is needed before the data: teacher, tokenizer. */
  open(run: RecipeRun): Promise<SampleReading>;
}

/** Samples of which the data are still to come. */
export interface SampleReading {
  /** Who teaches; undefined where that is known with the data only, or nobody does. */
  readonly teacher?: TeacherSource | undefined;
  /** What a teacher's answers depend on besides its model and the samples: part of the store's keys. */
  readonly preprocessing: string;
  /** Of texts: what cuts them into tokens. */
  readonly tokenizer?: Tokenizer | undefined;
  /** How teachers want their images, where they say so. */
  readonly teacherImages?: readonly Preprocessing[] | undefined;
  /** What was assumed, to be told before the data are read. */
  readonly warnings?: readonly string[];
  /** Where a classifier teaches: lets it decide, with the data, which classes there are. @param title of the source */
  readonly classesOf?: ((title: string) => ClassResolver) | undefined;
  /**
   * What follows from the data.
   *
   * @throws LimbeckError `teacher.inputs` for a teacher that cannot read them, `teacher.classes` for one of other classes
   */
  bind(dataset: PreparedDataset): Promise<BoundSamples> | BoundSamples;
}

/** Samples of a data set. */
export interface BoundSamples {
  /** Who teaches, as its model reads these data. */
  readonly teacher: TeacherSource | undefined;
  /** Where it reads samples by a processor of its own. */
  readonly teacherReads?: TaskData['teacherReads'];
  /** Where it is a classifier already: which of its outputs the classes are. */
  readonly classes?: ClassMatch | undefined;
  /** What a backbone is told besides what the processors say, by modality. */
  readonly facts?: Readonly<Record<string, object>>;
  /** A tower of the student that is given, and not trained. */
  readonly frozen?: FrozenTower | undefined;
  /** The model that a student is made of, where its recipe names one. */
  readonly given?: GivenModel | GivenTowers | undefined;
  /** The columns that models read; all of the inputs when absent. */
  readonly read?: readonly string[];
  /** Mean and deviation of each channel of images. */
  readonly pixelRange?: TaskData['pixelRange'];
  /** The linear model that students are compared with; none when absent. */
  readonly peer?: PeerModel | undefined;
  /** For people: the teacher after `teach`; the title of its source when absent. */
  readonly teacherTitle?: string | undefined;
  /**
   * What a teacher's model becomes where it is trained before it labels; absent where it labels as it is.
   *
   * @param name of one of several teachers: tells its trainings from those of the others
   */
  teach?(
    run: RunContext,
    data: Pick<TaskData, 'task' | 'heads'> & { readonly name?: string },
  ): ReturnType<TaskData['teach']>;
  readonly trainings?: TaskData['trainings'];
  readonly knownAs?: TaskData['knownAs'];
  /** First contents of a student's parameters, by name, that its teacher is asked for; absent where none are. */
  start?(
    run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
    student: Student,
  ): Promise<ReadonlyMap<string, Float32Array>>;
  /** A sample as a reader of the shipped student has it. */
  readerInput?: TaskData['readerInput'];
  /** Writes a student in the layout of its task. */
  write(folder: string, content: StudentPackage): void;
}

/** A linear model of samples. */
export interface PeerModel {
  /** For people: `a linear model of n-grams`. */
  readonly title: string;
  readonly backbone: Backbone;
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether it can answer as a head does. */
  fits(head: Head): boolean;
  /** Samples in a batch, of so many; as many as the student's when absent. */
  batchSize?(samples: number): number;
}
