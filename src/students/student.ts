import type { z } from 'zod';
import type { Graph } from '../onnx/graph.ts';
import type { RandomStream } from '../random.ts';

/** A model that is to be trained: its graph and the names of the initializers that learn. */
export interface Student {
  /** Inputs and outputs are named as transformers names them; batch and sequence sizes are symbolic. */
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
