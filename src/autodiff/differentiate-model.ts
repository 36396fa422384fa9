import { LimbeckError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { Graph, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { lowerBatchNorm } from '../onnx/passes/lower-batch-norm.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { narrowSplits } from '../onnx/passes/narrow-splits.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { renameGeneratedConstants } from '../onnx/passes/rename-generated-constants.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { gradients } from './gradients.ts';
import { prepareForGradients } from './prepare.ts';
import { overForeignModel } from './rule.ts';
import { type Unreached, whyUnreached } from './why-unreached.ts';

export interface DifferentiateOptions {
  /** The name of a float scalar that the model computes. */
  readonly loss: string;
  /**
   * Names of float inputs, initializers or inner values. By default all float initializers of the model that the loss
   * depends on.
   */
  readonly wrt?: readonly string[];
}

export interface DifferentiatedModel {
  /** The same inputs; outputs are the loss, by its name, and `grad/NAME` for every name of `differentiated`. */
  readonly graph: Graph;
  readonly differentiated: readonly string[];
  /** What was to be differentiated by, and gets no gradient: it has no output. */
  readonly unreached: readonly string[];
  /** The same with the reason for each; without `wrt` also the weights that are no floats. */
  readonly withoutGradient: readonly Unreached[];
}

/** Prefix of the outputs that hold gradients. */
export const GRADIENT_PREFIX = 'grad/';

/**
 * A model that computes the gradients of a loss beside it. Sizes that the model leaves open stay open.
 *
 * @throws LimbeckError `model.no-such-value` (with the nearest name), `train.loss-not-scalar`, `train.not-a-float`,
 *   `train.no-gradient` (with all operators that have none), `model.opset`, `model.input-type`.
 * @example
 * const { graph } = differentiateModel(readModelFile('model.onnx'), { loss: 'loss' });
 * writeModelFile('grad.onnx', graph);
 */
export function differentiateModel(model: Graph, { loss, wrt }: DifferentiateOptions): DifferentiatedModel {
  const prepared = prepareForGradients(model);
  const g = new GraphBuilder(prepared.opsets.get(''));
  const bound = new Map(
    prepared.inputs.map((input) => {
      const { name, type, shape } = typedInput(input);
      return [name, g.input(name, type, shape)];
    }),
  );
  const values = new Map([...g.copy(prepared, bound)].map(([from, to]) => [from.name, to]));
  const lossValue = floatValue(values, loss);
  if (!lossValue.shape.every((dim) => dim === 1)) {
    throw new LimbeckError(
      'train.loss-not-scalar',
      `the loss '${loss}' has shape ${formatShape(lossValue.shape)}; only a scalar can be differentiated`,
      {
        where: `value '${loss}'`,
        remedy: 'Name a value that is reduced over all axes, or reduce it in the model.',
      },
    );
  }
  const own = floatInitializers(model);
  const names = wrt ? [...new Set(wrt)] : own.filter((name) => values.has(name));
  const targets = names.map((name) => floatValue(values, name));
  const found = overForeignModel(() => gradients(g, lossValue, targets));

  g.output(lossValue);
  const differentiated: string[] = [];
  names.forEach((name, i) => {
    const gradient = found[i];
    if (!gradient) return;
    differentiated.push(name);
    g.output(gradient, freeName(values, `${GRADIENT_PREFIX}${name}`));
  });
  const whole = { ...g.build(model.name), metadata: model.metadata };
  const graph = nameOutputs(
    renameGeneratedConstants(
      narrowSplits(mergeDuplicates(removeDeadNodes(lowerBatchNorm(removeIdentities(whole))))),
    ),
  );
  const reached = new Set(differentiated);
  const unreached = (wrt ?? own).filter((name) => !reached.has(name));
  const asked = wrt ? unreached : [...unreached, ...quantizedWeights(model)];
  const reasons = whyUnreached(
    g.nodes,
    lossValue,
    asked.map((name) => values.get(name) ?? { name, type: undefined, shape: undefined }),
  );
  const withoutGradient = asked.map((name, i) => ({ name, reason: reasons[i] as string }));
  return { graph, differentiated, unreached, withoutGradient };
}

function floatInitializers(model: Graph): string[] {
  return [...model.initializers].flatMap(([value, { type }]) => (isFloat(type) ? [value.name] : []));
}

/** Weights that are kept as whole numbers: what DequantizeLinear and products of integers read from the file. */
function quantizedWeights(model: Graph): string[] {
  const read = new Set(
    model.nodes
      .filter(({ opType }) => opType === 'DequantizeLinear' || /^QLinear|Integer$/.test(opType))
      .flatMap(({ inputs }) => inputs),
  );
  return [...model.initializers].flatMap(([value, { type, data }]) =>
    !isFloat(type) && read.has(value) && data.length > 1 ? [value.name] : [],
  );
}

/** Inputs are fed tensors: without a type and a rank nothing can be told of what they become. */
function typedInput({ name, type, shape }: Value): TypedValue {
  if (type && shape) return { name, type, shape };
  throw new LimbeckError('model.input-type', `the input '${name}' has no ${type ? 'shape' : 'type'}`, {
    where: `input '${name}'`,
    remedy: 'Export the model with the types and shapes of its inputs; sizes may be names.',
  });
}

function floatValue(values: ReadonlyMap<string, Value>, name: string): TypedValue {
  const value = values.get(name);
  if (!value) {
    const near = nearest(name, [...values.keys()]);
    throw new LimbeckError('model.no-such-value', `the model has no value '${name}'`, {
      where: near ? `the nearest is '${near}'` : `it has ${values.size} values`,
      remedy: 'Name an input, an initializer or an output of a node.',
    });
  }
  if (!value.type || !value.shape) {
    throw new LimbeckError('train.not-a-float', `type and shape of '${name}' cannot be told`, {
      where: `value '${name}'`,
      remedy: 'Export the model with the types of its values (value_info), or name another value.',
    });
  }
  if (!isFloat(value.type)) {
    throw new LimbeckError('train.not-a-float', `'${name}' is ${value.type}, which has no gradient`, {
      where: `value '${name}'`,
      remedy: 'Name a float value.',
    });
  }
  return value as TypedValue;
}

function freeName(values: ReadonlyMap<string, Value>, name: string): string {
  if (!values.has(name)) return name;
  throw new LimbeckError('model.duplicate-name', `the model has a value '${name}' already`, {
    where: `value '${name}'`,
    remedy: 'Rename it: the gradient is to be called so.',
  });
}
