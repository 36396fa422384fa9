import type { ModelAnatomy, ModelLayer } from './anatomy.ts';
import { type LayerMap, type LayerPair, uniformLayers } from './layer-map.ts';

/**
 * Every layer of the student, taught by the teacher's at the same part of its depth. Where both have maps of one height,
 * the depth is that among the layers of this height: stages teach stages, however many there are beside them.
 */
export function matchingLayers(student: ModelAnatomy, teacher: ModelAnatomy): LayerMap {
  const evenly = uniformLayers(student.layers.length, teacher.layers.length);
  const [own, other] = [layersByHeight(student.layers), layersByHeight(teacher.layers)];
  return evenly.map((pair): LayerPair => {
    const height = student.layers[pair.student]?.features?.height;
    const taught = (height !== undefined && own.get(height)) || [];
    const teaching = (height !== undefined && other.get(height)) || [];
    if (teaching.length === 0) return pair;
    const part = uniformLayers(taught.length, teaching.length)[taught.indexOf(pair.student)];
    return { ...pair, teacher: teaching[part!.teacher]! };
  });
}

/** The positions of layers, by the height of their maps. */
function layersByHeight(layers: readonly ModelLayer[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  layers.forEach(({ features }, index) => {
    if (features) found.set(features.height, [...(found.get(features.height) ?? []), index]);
  });
  return found;
}
