import { LimbeckError } from '../errors.ts';
import {
  type ObjectiveInputs,
  type ObjectiveTerm,
  overCount,
  type RowLosses,
  type SummedLoss,
  summed,
} from '../objectives/objective.ts';
import type { DataType } from '../onnx/data-type.ts';
import type { Formulations } from '../onnx/formulations.ts';
import { findValue, type Graph, type TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { bindDims } from '../onnx/passes/bind-dims.ts';
import { lowerConvolutions } from '../onnx/passes/lower-convolutions.ts';
import { lowerDepthwise } from '../onnx/passes/lower-depthwise.ts';
import { type RunningStatistic, runningStatistics } from '../onnx/running-statistics.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { elementCount, float32, type Tensor } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import type { Student } from '../students/student.ts';
import { rerunStudent } from './rerun-student.ts';

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

/** A parameter that a term brings: it is trained with the student and does not ship. */
export interface AuxiliaryParameter {
  readonly value: TypedValue;
  readonly initial: Tensor;
}

/** A term in the graph of a step. */
export interface BuiltTerm {
  readonly term: ObjectiveTerm;
  /** float32 [], without its weight. */
  readonly loss: TypedValue;
  /** The same as a sum and a count; absent for a loss of the batch as a whole. */
  readonly summed?: SummedLoss;
  /** The same row by row, where the term tells it. */
  readonly rows?: RowLosses;
}

/** A student inside the graph of a training step, with its parameters as inputs and its loss terms computed. */
export interface StepGraph {
  readonly g: GraphBuilder;
  readonly parameters: readonly TypedValue[];
  readonly auxiliary: readonly AuxiliaryParameter[];
  /** The running statistics, and what the batch makes of them. */
  readonly buffers: readonly StepBuffer[];
  /** Every value of the student, by its name in the student's own graph. */
  readonly values: ReadonlyMap<string, TypedValue>;
  readonly terms: readonly BuiltTerm[];
  /** What terms are built from; what is asked of it later becomes part of the step as well. */
  readonly inputs: ObjectiveInputs;
  /** What a batch has to bring by now: the student's inputs, labels, row weights, knowledge and settings. */
  batchInputs(): readonly TensorSpec[];
  /** What is fed to the loss's inputs, by name, where a term says it. */
  readonly meanings: ReadonlyMap<string, string>;
}

/** Names of auxiliary parameters begin with it. */
export const AUXILIARY = 'auxiliary/';

export interface GraphOptions {
  /** Where the first contents of auxiliary parameters come from (0). */
  readonly seed?: number | undefined;
  /** How its convolutions are computed. */
  readonly formulations?: Formulations | undefined;
}

/**
 * Inlines a student at a fixed size and computes the loss terms over it. Of its running statistics, those given become
 * inputs; others stay constants.
 *
 */
export function buildStepGraph(
  student: Student,
  sizes: Readonly<Record<string, number>>,
  terms: readonly ObjectiveTerm[],
  statistics: readonly RunningStatistic[] = [],
  { seed = 0, formulations }: GraphOptions = {},
): StepGraph {
  const g = new GraphBuilder(student.graph.opsets.get(''));
  const names = [...student.parameters, ...statistics.map(({ value }) => value.name)];
  // The step's own names (loss, labels) are then free, whatever the student's inner values are called.
  const {
    values,
    parameters: given,
    bound,
  } = inlineWithParameters(g, { ...student, parameters: names }, sizes, 'student', formulations);
  const parameters = given.slice(0, student.parameters.length);
  const buffers = statistics.map(({ value, next }) => ({
    value: values.get(value.name) as TypedValue,
    next: values.get(next.name) as TypedValue,
  }));
  const own = new Set(g.inputs.map(({ name }) => name));
  const extra = new Map<string, TypedValue>();
  const meanings = new Map<string, string>();
  const input = (name: string, type: DataType, dims: readonly number[], meaning?: string) => {
    let value = extra.get(name);
    if (!value) {
      if (own.has(name)) throw nameTaken(name);
      value = g.input(name, type, dims);
      extra.set(name, value);
    }
    if (value.type !== type || value.shape.join() !== dims.join()) throw askedTwice(value, type, dims);
    if (meaning !== undefined) meanings.set(name, meaning);
    return value;
  };
  const studentValue = (among: ReadonlyMap<string, TypedValue>, name: string) => {
    const value = among.get(name);
    if (value) return value;
    throw new LimbeckError('train.no-such-value', `the student has no value named ${name}`, {
      where: `its graph ${student.graph.name}`,
      remedy: 'Correct the name; a student names its values in its graph (g.identity(value, name)).',
    });
  };
  const auxiliary = new Map<string, AuxiliaryParameter>();
  const inputs: ObjectiveInputs = {
    student: (name) => studentValue(values, name),
    has: (name) => values.has(name),
    rerun(replaced, how) {
      const again = rerunStudent(
        g,
        {
          graph: student.graph,
          sizes,
          values,
          bound,
          atSizes: (graph, at) => atSizes(graph, at, formulations),
        },
        replaced,
        how,
      );
      return (name) => studentValue(again, name);
    },
    knowledge: (tap, dims) =>
      input(`knowledge/${tap}`, 'float32', [
        sizes.batch,
        ...dims.map((dim) => (typeof dim === 'number' ? dim : sizes[dim])),
      ]),
    parameter(name, dims, initial) {
      const known = auxiliary.get(name);
      if (known) return known.value;
      const content = initial(randomStream(seed, 'auxiliary', name));
      if (content.length !== elementCount(dims))
        throw new Error(`${name} has ${elementCount(dims)} elements, not ${content.length}`);
      const value = g.input(AUXILIARY + name, 'float32', dims);
      auxiliary.set(name, { value, initial: float32(content, dims) });
      return value;
    },
    labels: () => input('labels', 'int32', [sizes.batch]),
    rowWeights: () => input('row_weights', 'float32', [sizes.batch]),
    input,
  };
  const built = terms.map(
    (term): BuiltTerm =>
      g.scope(`loss/${term.name}`, () => {
        const loss = term.build(g, inputs);
        if ('values' in loss) {
          const parts = summed(g, loss);
          return { term, loss: overCount(g, parts), summed: parts, rows: loss };
        }
        return 'sum' in loss ? { term, loss: overCount(g, loss), summed: loss } : { term, loss };
      }),
  );
  return {
    g,
    parameters,
    get auxiliary() {
      return [...auxiliary.values()];
    },
    buffers,
    values,
    terms: built,
    inputs,
    meanings,
    batchInputs() {
      const carried = new Set([...names, ...[...auxiliary.values()].map(({ value }) => value.name)]);
      return g.inputs.filter((value) => !carried.has(value.name)).map(specOf);
    },
  };
}

/** Copies a student into `g`, its symbolic sizes replaced by numbers and its parameters turned into inputs. */
export function inlineWithParameters(
  g: GraphBuilder,
  student: Student,
  sizes: Readonly<Record<string, number>>,
  prefix = '',
  formulations?: Formulations,
): {
  values: Map<string, TypedValue>;
  parameters: TypedValue[];
  /** What its inputs and parameters are here. */
  bound: ReadonlyMap<string, TypedValue>;
} {
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
  const graph = atSizes(student.graph, sizes, formulations);
  return { values: g.inline(graph, bound, prefix), parameters, bound };
}

/** A graph as a step has it: symbolic sizes are numbers, and convolutions have the form that is fast at that size. */
function atSizes(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  formulations: Formulations | undefined,
): Graph {
  return lowerConvolutions(lowerDepthwise(bindDims(graph, sizes), formulations), formulations);
}

function nameTaken(name: string): LimbeckError {
  return new LimbeckError('train.name-taken', `the student has an input '${name}' of its own`, {
    where: `the input '${name}' of the loss`,
    remedy: "Rename the student's input, or use the loss that is in the student.",
  });
}

/** Labels that are classes for one term and numbers for another, for example. */
function askedTwice(
  { name, type, shape }: TypedValue,
  otherType: DataType,
  otherDims: readonly number[],
): LimbeckError {
  return new LimbeckError(
    'train.objective-output',
    `two terms of the loss take '${name}' in different forms`,
    {
      where: `the input '${name}': ${type}${formatShape(shape)} and ${otherType}${formatShape(otherDims)}`,
      remedy: 'Leave out one of the terms, or let them be about different outputs.',
    },
  );
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
  return statisticsOf(student).map(({ value }) => value.name);
}

/** All that goes from step to step in a student without a gradient: of its batch normalisations, and its own. */
export function statisticsOf({ graph, statistics = [] }: Student): RunningStatistic[] {
  const valueCalled = (name: string) => {
    const value = findValue(graph, name);
    if (!value) throw new Error(`the student has no value ${name}`);
    return value;
  };
  return [
    ...runningStatistics(graph),
    ...statistics.map(({ value, next }) => ({ value: valueCalled(value), next: valueCalled(next) })),
  ];
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
