import type { z } from 'zod';
import type { Graph } from '../onnx/graph.ts';
import type { RandomStream } from '../random.ts';

/** A model that is to be trained: its graph and the names of the initializers that learn. */
export interface Student {
  /**
   * Inputs and outputs are named as transformers names them; batch and sequence sizes are symbolic. It is in its
   * training form: batch normalisations use the batch's statistics, and keep running ones.
   */
  readonly graph: Graph;
  readonly parameters: readonly string[];
}

/** What a text student has to fit. */
export interface TextStudentContext {
  readonly vocabularySize: number;
  readonly classes: number;
  /** Tokens in the longest text. */
  readonly maxLength: number;
  /** Draws the initial parameters. */
  readonly random: RandomStream;
  /** The tokens of each training text, for what a student measures on them before it learns; none when absent. */
  readonly trainingTexts?: Iterable<ArrayLike<number>>;
}

/** An entry of the registry of students. */
export interface TextStudentArchitecture<Options extends z.ZodObject = z.ZodObject> {
  readonly kind: string;
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  /**
   * Builds the student: inputs `input_ids` and `attention_mask`, int64 [batch, sequence];
   * output `logits`, float32 [batch, classes].
   */
  build(options: z.output<Options>, context: TextStudentContext): Student;
}

/** What an image student has to fit. */
export interface ImageStudentContext {
  readonly channels: number;
  /** Pixels. */
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  /** Draws the initial parameters. */
  readonly random: RandomStream;
}

/** An entry of the registry of image students. */
export interface ImageStudentArchitecture<Options extends z.ZodObject = z.ZodObject> {
  readonly kind: string;
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  /**
   * Builds the student in its training form: input `pixel_values`, float32 [batch, channels, height, width];
   * output `logits`, float32 [batch, classes].
   */
  build(options: z.output<Options>, context: ImageStudentContext): Student;
}
