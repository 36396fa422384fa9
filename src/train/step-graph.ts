import { LimbeckError } from '../errors.ts';
import type { ObjectiveInputs, ObjectiveTerm } from '../objectives/objective.ts';
import type { DataType } from '../onnx/data-type.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { bindDims } from '../onnx/passes/bind-dims.ts';
import { lowerDepthwise } from '../onnx/passes/lower-depthwise.ts';
import { type RunningStatistic, runningStatistics } from '../onnx/running-statistics.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';

/** Name, type and shape of a tensor that goes in or out of a compiled step. */
export interface TensorSpec {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly number[];
}

/** A tensor that goes from step to step without a gradient: its input, and the value that it becomes. */
export interface StepBuffer {
  readonly value: TypedValue;
  readonly next: TypedValue;
}

/** A student inside the graph of a training step, with its parameters as inputs and its loss terms computed. */
export interface StepGraph {
  readonly g: GraphBuilder;
  readonly parameters: readonly TypedValue[];
  /** The running statistics, and what the batch makes of them. */
  readonly buffers: readonly StepBuffer[];
  /** Every value of the student, by its name in the student's own graph. */
  readonly values: ReadonlyMap<string, TypedValue>;
  readonly terms: readonly { readonly term: ObjectiveTerm; readonly loss: TypedValue }[];
  /** What a batch has to bring: the student's inputs, labels, row weights and knowledge. */
  readonly batchInputs: readonly TensorSpec[];
}

/**
 * Inlines a student at a fixed size and computes the loss terms over it. Of its running statistics, those given become
 * inputs; others stay constants.
 */
export function buildStepGraph(
  student: Student,
  sizes: Readonly<Record<string, number>>,
  terms: readonly ObjectiveTerm[],
  statistics: readonly RunningStatistic[] = [],
): StepGraph {
  const g = new GraphBuilder(student.graph.opsets.get(''));
  const names = [...student.parameters, ...statistics.map(({ value }) => value.name)];
  // The step's own names (loss, labels) are then free, whatever the student's inner values are called.
  const { values, parameters: given } = inlineWithParameters(
    g,
    { ...student, parameters: names },
    sizes,
    'student',
  );
  const parameters = given.slice(0, student.parameters.length);
  const buffers = statistics.map(({ value, next }) => ({
    value: values.get(value.name) as TypedValue,
    next: values.get(next.name) as TypedValue,
  }));
  const own = new Set(g.inputs.map(({ name }) => name));
  const extra = new Map<string, TypedValue>();
  const input = (name: string, type: DataType, dims: readonly number[]) => {
    let value = extra.get(name);
    if (!value) {
      if (own.has(name)) throw nameTaken(name);
      value = g.input(name, type, dims);
      extra.set(name, value);
    }
    return value;
  };
  const inputs: ObjectiveInputs = {
    student(name) {
      const value = values.get(name);
      if (!value) {
        throw new LimbeckError('train.no-such-value', `the student has no value named ${name}`, {
          where: `its graph ${student.graph.name}`,
          remedy: 'Correct the name; a student names its values in its graph (g.identity(value, name)).',
        });
      }
      return value;
    },
    knowledge: (tap, dims) => input(`knowledge/${tap}`, 'float32', [sizes.batch, ...dims]),
    labels: () => input('labels', 'int32', [sizes.batch]),
    rowWeights: () => input('row_weights', 'float32', [sizes.batch]),
    input,
  };
  const built = terms.map((term) => ({
    term,
    loss: g.scope(`loss/${term.name}`, () => term.build(g, inputs)),
  }));
  const carried = new Set(names);
  const batchInputs = g.inputs.filter((value) => !carried.has(value.name)).map(specOf);
  return { g, parameters, buffers, values, terms: built, batchInputs };
}

/** Copies a student into `g`, its symbolic sizes replaced by numbers and its parameters turned into inputs. */
export function inlineWithParameters(
  g: GraphBuilder,
  student: Student,
  sizes: Readonly<Record<string, number>>,
  prefix = '',
): { values: Map<string, TypedValue>; parameters: TypedValue[] } {
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of student.graph.inputs) {
    if (!type || !shape) throw new Error(`input ${name} of the student has no type or shape`);
    const dims = shape.map((dim) => (typeof dim === 'string' ? (sizes[dim] ?? dim) : dim));
    bound.set(name, g.input(name, type, dims));
  }
  const contents = parameterTensors(student);
  const parameters = student.parameters.map((name) => {
    const content = contents.get(name);
    if (!content) throw new Error(`the student has no parameter ${name}`);
    const value = g.input(name, content.type, content.dims);
    bound.set(name, value);
    return value;
  });
  const graph = lowerDepthwise(bindDims(student.graph, sizes));
  return { values: g.inline(graph, bound, prefix), parameters };
}

function nameTaken(name: string): LimbeckError {
  return new LimbeckError('train.name-taken', `the student has an input '${name}' of its own`, {
    where: `the input '${name}' of the loss`,
    remedy: "Rename the student's input, or use the loss that is in the student.",
  });
}

/** The student's parameters as they stand in its graph, by name. */
export function parameterTensors(student: Student): Map<string, Tensor> {
  const byName = new Map([...student.graph.initializers].map(([value, content]) => [value.name, content]));
  return new Map(student.parameters.flatMap((name) => (byName.has(name) ? [[name, byName.get(name)!]] : [])));
}

/** All tensors of a student that training changes, as they stand in its graph: its parameters and running statistics. */
export function trainedTensors(student: Student): Map<string, Tensor> {
  return parameterTensors({ ...student, parameters: [...student.parameters, ...bufferNames(student)] });
}

/** The names of the student's running statistics: they go from step to step beside the parameters. */
export function bufferNames(student: Student): string[] {
  return runningStatistics(student.graph).map(({ value }) => value.name);
}

/** The same student with other values for its parameters and running statistics. */
export function withParameters(student: Student, values: ReadonlyMap<string, Float32Array>): Student {
  const initializers = new Map(
    [...student.graph.initializers].map(([value, content]) => {
      const data = values.get(value.name);
      return [value, data ? { ...content, data } : content];
    }),
  );
  return { ...student, graph: { ...student.graph, initializers } };
}

/** The spec of a value whose shape is all numbers. */
export function specOf({ name, type, shape }: TypedValue): TensorSpec {
  for (const dim of shape)
    if (typeof dim !== 'number') throw new Error(`${name} has the unknown size ${dim}`);
  return { name, type, dims: shape as number[] };
}
