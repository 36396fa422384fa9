import { prepareForGradients } from '../autodiff/prepare.ts';
import { LimbeckError } from '../errors.ts';
import { nearestNames } from '../nearest.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { Graph, TypedValue, Value } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import type { BackboneFeatures } from '../targets/features.ts';
import type { GivenModel } from './backbone.ts';
import { mapFeatures, pooledFeatures, tokenFeatures } from './linear-features.ts';
import { maskColumn, maskedMean } from './masked-pooling.ts';
import type { ParameterMaker } from './parameters.ts';
import { firstToken } from './token-positions.ts';

export interface GivenOptions {
  /** The value that heads attach to. */
  readonly attach?: string | undefined;
  readonly pooling: 'mean' | 'first';
  /** Whether its weights are taken over. */
  readonly weights: 'own' | 'drawn';
}

/** What there may be features of in a model that is given. Nobody knows of it that a token sees only those before it. */
export const GIVEN_FEATURES = ['pooled', 'tokens', 'map'] as const;

/** The model of a student that is given, in operators that can be differentiated. */
export function givenGraph(inputs: { readonly given?: GivenModel | undefined }, kind: string): GivenModel {
  const { given } = inputs;
  if (!given) {
    throw new LimbeckError(
      'recipe.invalid',
      `a student '${kind}' is built from a model, and none is at hand`,
      {
        where: 'student.kind',
        remedy:
          'Name it in a recipe of texts or images, with its file (onnx) or a teacher that is one (cut).',
      },
    );
  }
  return { ...given, graph: prepareForGradients(given.graph) };
}

/**
 * Features of a model that is given: everything up to one of its values is the student's, and its weights are its parameters.
 * A value [batch, width] is a sample as a whole, [batch, sequence, width] its tokens, [batch, width, rows, columns] its map.
 *
 * @throws LimbeckError `recipe.invalid` for a value that is not there, or has another shape
 */
export function featuresOfGiven(
  g: GraphBuilder,
  make: ParameterMaker,
  { graph, constants = [] }: GivenModel,
  { attach, pooling, weights }: GivenOptions,
): BackboneFeatures {
  const name = attach ?? usualValue(graph);
  requireValue(graph, name);
  const body = removeDeadNodes(withOutputs(graph, [name]));
  const bound = new Map<string, TypedValue>();
  for (const { name: input, type, shape } of body.inputs)
    bound.set(input, g.input(input, type as NonNullable<typeof type>, shape ?? []));
  const trained = [...body.initializers].filter(
    ([value, { type, data }]) => isFloat(type) && data.length > 1 && !constants.includes(value.name),
  );
  const initializers = new Map(body.initializers);
  if (weights === 'drawn')
    for (const [value, content] of trained) initializers.set(value, make.redrawn(content));
  // Names of its own: heads have theirs, and their outputs are called as its may be.
  const values = g.inline({ ...body, initializers }, bound, 'model');
  for (const [value] of trained) make.adopt(values.get(value.name) as TypedValue);
  const value = values.get(name) as TypedValue;
  const { shape } = value;
  const width = shape.length === 4 ? shape[1] : shape.at(-1);
  if (value.type !== 'float32' || typeof width !== 'number' || shape.length < 2 || shape.length > 4) {
    throw new LimbeckError('recipe.invalid', `heads cannot attach to '${name}'`, {
      where: `student.attach: ${value.type} [${shape.join(', ')}]`,
      remedy:
        'Name a float32 value [batch, width], [batch, sequence, width] or [batch, width, rows, columns] (`limbeck inspect MODEL` lists them).',
    });
  }
  if (shape.length === 2) return { pooled: () => pooledFeatures(g, make, value, width) };
  if (shape.length === 4) {
    return {
      map: () => mapFeatures(g, make, value, width),
      pooled: () => pooledFeatures(g, make, g.reduceMean(value, { axes: [2, 3], keepDims: false }), width),
    };
  }
  const mask = bound.get('attention_mask');
  return {
    tokens: () => tokenFeatures(g, make, value, width),
    pooled() {
      const pooled = !mask
        ? g.reduceMean(value, { axes: [1], keepDims: false })
        : pooling === 'first'
          ? firstToken(g, value, mask)
          : maskedMean(g, value, maskColumn(g, mask));
      return pooledFeatures(g, make, pooled, width);
    },
  };
}

/** Where heads attach when nobody says: the last layer that is found, or the only output. */
function usualValue(graph: Graph): string {
  const last = describeModel(graph).layers.at(-1);
  const found = last?.hidden?.name ?? last?.features?.name ?? graph.outputs[0]?.name;
  if (found === undefined) throw new Error('a model without outputs');
  return found;
}

function requireValue(graph: Graph, name: string): void {
  const values = [
    ...graph.outputs,
    ...graph.nodes.flatMap(({ outputs }) => outputs.filter((value): value is Value => value !== null)),
  ];
  if (values.some((value) => value.name === name)) return;
  throw new LimbeckError('recipe.invalid', `the student's model has no value '${name}'`, {
    where: 'student.attach',
    remedy: `The nearest names: ${nearestNames(
      name,
      values.map((value) => value.name),
    )}. \`limbeck inspect MODEL\` lists them.`,
  });
}
