import type { ModelLayer } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import { FEATURE_MAPS, type LayerPart, layerPairs, stagePairs, type TaughtPart } from './layer-pairs.ts';
import type { ObjectiveContext, ObjectiveInputs } from './objective.ts';
import { meanOverPlaces } from './places.ts';
import { maskAmong, meanVector } from './token-mean.ts';

/** What a layer says of a sample as a whole: the mean over its tokens or places. */
export interface PooledLayer {
  readonly name: string;
  readonly of: 'tokens' | 'places';
  /** Hidden width, or channels. */
  readonly width: number;
}

const POOLED: LayerPart<PooledLayer> = {
  title: 'hidden states or feature maps',
  of: ({ hidden, features }: ModelLayer) => {
    if (hidden) return { name: hidden.name, of: 'tokens', width: hidden.width };
    return features && placesOf(features);
  },
};

function placesOf({ name, channels }: NonNullable<ModelLayer['features']>): PooledLayer {
  return { name, of: 'places', width: channels };
}

/** The pairs that a loss over pooled activations compares: the ends of stages where both sides have maps, else layers. */
export function pooledPairs(context: ObjectiveContext, loss: string): TaughtPart<PooledLayer>[] {
  const { models } = context;
  const sides = models ? [models.student, models.teacher] : [];
  const convolutional = sides.every(({ layers }) => layers.some(FEATURE_MAPS.of)) && sides.length > 0;
  if (!convolutional) return layerPairs(context, loss, POOLED);
  return stagePairs(context, loss).map(({ student, teacher, share }) => ({
    student: placesOf(student),
    teacher: placesOf(teacher),
    share,
  }));
}

/** What is kept of the teacher's layers: a vector for each sample. */
export function pooledRequests(pairs: readonly TaughtPart<PooledLayer>[]): KnowledgeRequest[] {
  return pairs.map(({ teacher: layer }) => ({
    tap: tapOf(layer),
    build: (g, teacher) =>
      pooled(g, layer, { has: (name) => teacher.has(name), value: (name) => teacher.value(name) }),
  }));
}

/** Both sides' vectors of a pair, float32 [batch, width] each. */
export function pooledSides(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  { student, teacher }: TaughtPart<PooledLayer>,
): [student: TypedValue, teacher: TypedValue] {
  return [
    pooled(g, student, { has: inputs.has, value: inputs.student }),
    inputs.knowledge(tapOf(teacher), [teacher.width]),
  ];
}

function pooled(g: GraphBuilder, { name, of }: PooledLayer, model: ModelValues): TypedValue {
  if (of === 'places') return meanOverPlaces(g, model.value(name));
  return meanVector(g, model.value(name), maskAmong(g, model, model.value(name)));
}

/** The values of a model, by name. */
interface ModelValues {
  has(name: string): boolean;
  value(name: string): TypedValue;
}

function tapOf({ name }: PooledLayer): string {
  return `pooled/${name}`;
}
