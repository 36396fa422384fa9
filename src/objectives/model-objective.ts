import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import type { ObjectiveTerm } from './objective.ts';

/** What an objective on a foreign model may depend on besides its options. */
export interface ModelObjectiveContext {
  /** The output that objectives look at when they name none. */
  readonly mainOutput: string;
}

/** An input that an objective adds to a training step. */
export interface ObjectiveInput {
  readonly name: string;
  /** What is fed there, for a person. */
  readonly meaning: string;
}

/** A term on one output of a foreign model, and what it asks a batch for. */
export interface ModelTerm {
  readonly term: ObjectiveTerm;
  readonly inputs: readonly ObjectiveInput[];
}

/** An entry of the registry of losses for models that come as files (`model-objectives.ts`). */
export interface ModelObjective<
  Kind extends string = string,
  Options extends z.ZodObject = z.ZodObject<{ weight: z.ZodType<number>; output: z.ZodType<string> }>,
> {
  readonly kind: Kind;
  readonly options: Options;
  term(options: z.output<Options>, context: ModelObjectiveContext): ModelTerm;
}

/** Lets `term` be typed by the options beside it. */
export function defineModelObjective<Kind extends string, Options extends z.ZodObject>(
  objective: ModelObjective<Kind, Options>,
): ModelObjective<Kind, Options> {
  return objective;
}

/** The options that every such objective has. */
export const weightOption = z.number().min(0).max(1000).default(1).describe("The term's part in the loss.");
export const outputOption = z
  .string()
  .min(1)
  .optional()
  .describe('The output of the model that it looks at; the main one by default.');

/** `kind` on the main output, `kind/OUTPUT` on another one: the names of terms and of their inputs. */
export function namedFor(name: string, output: string, { mainOutput }: ModelObjectiveContext): string {
  return output === mainOutput ? name : `${name}/${output}`;
}

/** The rows of a value: all axes but the last one are counted through. */
export interface Rows {
  /** The sizes of the axes that are counted through: [batch], or [batch, sequence]. */
  readonly dims: readonly number[];
  readonly width: number;
}

/**
 * How a value is read as rows of `width` numbers.
 *
 * @throws LimbeckError `train.objective-output` when it is no float32 with two axes or more of known sizes
 */
export function rowsOf(value: TypedValue, output: string, objective: string): Rows {
  const { type, shape } = value;
  const dims = shape.filter((dim): dim is number => typeof dim === 'number');
  const problem =
    type !== 'float32'
      ? `is ${type}, not float32`
      : shape.length < 2
        ? `has the shape ${formatShape(shape)}: a row of numbers for each sample is needed`
        : dims.length < shape.length
          ? `has the size ${shape.find((dim) => typeof dim === 'string')}, which is not known`
          : undefined;
  if (problem) {
    throw new LimbeckError('train.objective-output', `the output '${output}' ${problem}`, {
      where: `objective ${objective}, output '${output}': ${type}${formatShape(shape)}`,
      remedy: 'Name another output, float32 [batch, ..., width].',
    });
  }
  return { dims: dims.slice(0, -1), width: dims.at(-1) as number };
}

/** A value as a matrix of its rows, or (without `width`) as a vector with an element for each. */
export function flattenRows(g: GraphBuilder, value: TypedValue, rows: Rows, width?: number): TypedValue {
  if (rows.dims.length === 1) return value;
  return g.reshape(value, width === undefined ? [-1] : [-1, width]);
}
