import { LimbeckError } from '../errors.ts';
import type { ModelAnatomy, ModelLayer } from '../onnx/anatomy/anatomy.ts';
import type { LayerPair } from '../onnx/anatomy/layer-map.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ObjectiveContext, PairContext } from './objective.ts';
import { requiredModels } from './required-models.ts';

/** A part of one of the student's layers, and the same part of the teacher's layer that teaches it. */
export interface TaughtPart<Part> {
  readonly student: Part;
  readonly teacher: Part;
  /** How much of the loss it is; the shares of all pairs sum to 1. */
  readonly share: number;
}

/** What a loss looks at in a layer: its name for people, and how it is found. */
export interface LayerPart<Part> {
  /** `attention maps` */
  readonly title: string;
  of(layer: ModelLayer): Part | undefined;
}

export type FeatureMap = NonNullable<ModelLayer['features']>;

/** The maps of convolutional layers. */
export const FEATURE_MAPS: LayerPart<FeatureMap> = { title: 'feature maps', of: ({ features }) => features };

/**
 * The pairs of the layer map where both sides have what the loss `name` looks at.
 *
 * @throws LimbeckError `recipe.no-layers` when there is none
 */
export function layerPairs<Part>(
  context: ObjectiveContext,
  name: string,
  part: LayerPart<Part>,
): TaughtPart<Part>[] {
  const both = requiredModels(context, name);
  return partsOf(both, name, part, both.layers);
}

/**
 * The same for feature maps, where the layers of one size of image are a stage: each pair is moved to the ends of its
 * stages, and of the pairs of a student's stage the last one stays.
 */
export function stagePairs(context: ObjectiveContext, name: string): TaughtPart<FeatureMap>[] {
  const both = requiredModels(context, name);
  const { student, teacher, layers } = both;
  const ends = layers
    .filter((pair) => student.layers[pair.student]?.features && teacher.layers[pair.teacher]?.features)
    .sort((a, b) => a.student - b.student)
    .map(
      (pair): LayerPair => ({
        ...pair,
        student: stageEnd(student, pair.student),
        teacher: stageEnd(teacher, pair.teacher),
      }),
    );
  const stages = [...new Map(ends.map((pair) => [pair.student, pair])).values()];
  return partsOf(both, name, FEATURE_MAPS, stages);
}

/** The sum of what each pair loses, by their shares. */
export function sharedLoss<Part>(
  g: GraphBuilder,
  pairs: readonly TaughtPart<Part>[],
  loss: (pair: TaughtPart<Part>) => TypedValue,
): TypedValue {
  const parts = pairs.map((pair) => (pair.share === 1 ? loss(pair) : g.mul(loss(pair), pair.share)));
  return parts.reduce((sum, part) => g.add(sum, part));
}

function partsOf<Part>(
  { student, teacher }: PairContext,
  name: string,
  part: LayerPart<Part>,
  pairs: readonly LayerPair[],
): TaughtPart<Part>[] {
  const found = pairs.flatMap((pair) => {
    const [own, other] = [student.layers[pair.student], teacher.layers[pair.teacher]];
    const [taught, teaching] = [own && part.of(own), other && part.of(other)];
    return taught && teaching ? [{ student: taught, teacher: teaching, weight: pair.weight }] : [];
  });
  const sum = found.reduce((all, { weight }) => all + weight, 0);
  if (sum > 0) return found.map(({ weight, ...parts }) => ({ ...parts, share: weight / sum }));
  const lacking = [
    ...(student.layers.some(part.of) ? [] : ['student']),
    ...(teacher.layers.some(part.of) ? [] : ['teacher']),
  ];
  const problem =
    lacking.length > 0
      ? `the ${lacking.join(' and the ')} ${lacking.length > 1 ? 'have' : 'has'} no ${part.title}`
      : `no pair of layers has ${part.title} on both sides`;
  throw new LimbeckError('recipe.no-layers', `${problem}, which the loss '${name}' compares`, {
    where: `objective.${name}; layers of the student: ${namesOf(student)}; of the teacher: ${namesOf(teacher)}`,
    remedy: `\`limbeck inspect MODEL\` lists what a model has to offer. Choose another loss, or other knowledge.layers.`,
  });
}

function namesOf({ layers }: ModelAnatomy): string {
  return layers.map(({ name }) => name).join(', ') || 'none was found';
}

/** The last layer with maps of the size that a layer's have. */
function stageEnd({ layers }: ModelAnatomy, from: number): number {
  const end = layers.findIndex((layer, index) => index >= from && layer.features?.endsStage);
  return end >= 0 ? end : layers.findLastIndex(({ features }) => features);
}
