import { LimbeckError } from '../errors.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { BackboneFeatures, Features } from '../targets/features.ts';
import type { GivenModel, GivenTowers } from './backbone.ts';
import { withoutBias } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';
import { towerPair } from './tower-pair.ts';

/**
 * Features of two towers that are given, each a model whose only output is the vector of a sample, float32 [batch, width]. Where
 * the pair's vectors have that width, they are the towers' own; otherwise a layer follows that begins drawn.
 *
 * @throws LimbeckError `recipe.invalid` without such towers
 */
export function givenTowers(
  g: GraphBuilder,
  make: ParameterMaker,
  given: GivenTowers | undefined,
): BackboneFeatures {
  if (!given) {
    throw new LimbeckError('recipe.invalid', 'two towers are cut out of a teacher that has them', {
      where: 'student.kind: cut',
      remedy: 'Name a teacher of texts and images: onnx-pair, or CLIP of a hub.',
    });
  }
  const inputs = new Map<string, TypedValue>();
  return towerPair(g, {
    text: towerFeatures(g, make, given.text, 'text_model', inputs),
    image: towerFeatures(g, make, given.image, 'vision_model', inputs),
  });
}

function towerFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  { graph, constants = [] }: GivenModel,
  scope: string,
  inputs: Map<string, TypedValue>,
): Features {
  for (const { name, type, shape } of graph.inputs)
    if (!inputs.has(name)) inputs.set(name, g.input(name, type as NonNullable<typeof type>, shape ?? []));
  const values = g.inline(graph, inputs, scope);
  for (const [{ name }, { type, data }] of graph.initializers)
    if (isFloat(type) && data.length > 1 && !constants.includes(name))
      make.adopt(values.get(name) as TypedValue);
  const value = values.get(graph.outputs[0]?.name as string) as TypedValue;
  const width = value.shape[1] as number;
  return {
    width,
    value,
    project: (name, outputs) =>
      outputs === width ? value : withoutBias(g, make, name, value, [width, outputs], width ** -0.5),
  };
}
