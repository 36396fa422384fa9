import { prepareForGradients } from '../autodiff/prepare.ts';
import { LimbeckError } from '../errors.ts';
import { nearestNames } from '../nearest.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { DeclaredTaps } from '../onnx/anatomy/declared-taps.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { fusedAttention } from '../onnx/anatomy/fused-attention.ts';
import { suggestTaps } from '../onnx/anatomy/suggest-taps.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { namePattern } from '../onnx/name-pattern.ts';
import { readModelFile } from '../onnx/node-files.ts';
import { parameterCount } from '../onnx/parameter-count.ts';
import { bindDims } from '../onnx/passes/bind-dims.ts';
import { operatorKey } from '../onnx/shape-inference/rules.ts';
import { statSync } from '../platform/files.ts';
import { resolve } from '../platform/paths.ts';
import { modelFiles } from '../teachers/model-folder.ts';

export interface InspectOptions {
  /** Numbers for the model's symbolic sizes, by name. */
  sizes?: Readonly<Record<string, number>>;
  /** Lists the values whose names fit this pattern (`*` is anything); none by default. */
  match?: string;
}

/** A value of a model: its type and its sizes, numbers or names, as far as they are known. */
export interface InspectedValue {
  readonly name: string;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
  /** What computes it: an operator, `input`, or `parameter`. */
  readonly from: string;
}

/** What a model has to offer. */
export interface ModelInspection {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  readonly opset: number;
  readonly nodes: number;
  /** Numbers that it has learned: of quantised weights too, without scales and zero points. */
  readonly parameters: number;
  readonly inputs: readonly InspectedValue[];
  readonly outputs: readonly InspectedValue[];
  readonly anatomy: ModelAnatomy;
  /** The layers as a recipe declares them, under `knowledge.taps`. */
  readonly taps: DeclaredTaps;
  /** Operators that hide attention, and could not be taken apart. */
  readonly fused: readonly string[];
  /** Whether the model leaves the size of its images open: feature maps are then told for 224x224. */
  readonly openPixels: boolean;
  readonly values?: readonly InspectedValue[];
}

/**
 * Tells what an ONNX file is made of: inputs, outputs, layers with their attention maps, hidden states or feature maps,
 * and taps to begin with. Fused operators are taken apart first, as they are when taps are labelled.
 *
 * @throws LimbeckError what reading the model throws; `model.no-value` when nothing fits `match` (with the nearest names);
 *   `compile.sizes` for a size that the model does not have
 * @example
 * const { anatomy } = await inspectModel('teacher.onnx');
 * console.log(anatomy.layers.map(({ name }) => name));
 */
export async function inspectModel(model: string, options: InspectOptions = {}): Promise<ModelInspection> {
  const file = modelFiles(resolve(model)).model;
  const read = readModelFile(file);
  const prepared = prepareForGradients(read);
  requireSizes(prepared, options.sizes ?? {}, model);
  const graph = bindable(prepared) ? bindDims(prepared, options.sizes ?? {}) : prepared;
  const anatomy = describeModel(graph);
  const values = valuesOf(graph);
  const byName = new Map(values.map((value) => [value.name, value]));
  const told = (value: Value) => byName.get(value.name) ?? inspected(value, 'input');
  return {
    file,
    bytes: statSync(file).size,
    opset: read.opsets.get('') ?? 0,
    nodes: read.nodes.length,
    parameters: parameterCount(read),
    inputs: graph.inputs.map(told),
    outputs: graph.outputs.map(told),
    anatomy,
    taps: suggestTaps(
      anatomy,
      values.map(({ name }) => name),
    ),
    fused: fusedAttention(graph),
    openPixels: graph.inputs.some(({ shape = [] }) => shape.length === 4 && shape.slice(1).some(isOpen)),
    ...(options.match !== undefined && { values: matching(values, options.match, model) }),
  };
}

function bindable({ inputs }: Graph): boolean {
  return inputs.every(({ type, shape }) => type && shape);
}

function isOpen(size: number | string): boolean {
  return typeof size === 'string';
}

function requireSizes({ inputs }: Graph, sizes: Readonly<Record<string, number>>, model: string): void {
  const open = [...new Set(inputs.flatMap(({ shape = [] }) => shape.filter(isOpen) as string[]))];
  const unknown = Object.keys(sizes).find((name) => !open.includes(name));
  if (unknown === undefined) return;
  throw new LimbeckError('compile.sizes', `the model has no symbolic size '${unknown}'`, {
    where: model,
    remedy: open.length > 0 ? `It has ${open.join(', ')}.` : 'All its sizes are numbers.',
  });
}

function valuesOf({ inputs, initializers, nodes }: Graph): InspectedValue[] {
  const parameters = [...initializers].filter(([, { type, dims }]) => isFloat(type) && dims.length > 0);
  return [
    ...inputs.map((value) => inspected(value, 'input')),
    ...parameters.map(([value]) => inspected(value, 'parameter')),
    ...nodes.flatMap(({ domain, opType, outputs }) =>
      outputs.flatMap((value) => (value ? [inspected(value, operatorKey(domain, opType))] : [])),
    ),
  ];
}

function inspected({ name, type, shape }: Value, from: string): InspectedValue {
  return { name, ...(type && { type }), ...(shape && { shape }), from };
}

function matching(values: readonly InspectedValue[], pattern: string, model: string): InspectedValue[] {
  const isMeant = namePattern(pattern);
  const found = values.filter(({ name }) => isMeant(name));
  if (found.length > 0) return found;
  const names = values.map(({ name }) => name);
  throw new LimbeckError('model.no-value', `the model has no value '${pattern}'`, {
    where: `${model}; the nearest names: ${nearestNames(pattern.replaceAll('*', ''), names)}`,
    remedy: 'Put * where any characters may be; `limbeck inspect MODEL --all` lists every value.',
  });
}
