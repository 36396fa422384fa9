import { describe, expect, it } from 'vitest';
import type { ModelAnatomy } from './anatomy.ts';
import { uniformLayers } from './layer-map.ts';
import { matchingLayers } from './matching-layers.ts';

/** Layers with maps of these heights. */
function convolutional(...heights: number[]): ModelAnatomy {
  const layers = heights.map((height, i) => ({
    name: `layer_${i}`,
    features: { name: `${i}`, channels: 8, height, width: height, endsStage: heights[i + 1] !== height },
  }));
  return { family: 'convolutional', layers };
}

const teachers = (student: ModelAnatomy, teacher: ModelAnatomy) =>
  matchingLayers(student, teacher).map((pair) => pair.teacher);

describe('matchingLayers', () => {
  it('lets stages teach stages of the same height', () => {
    const teacher = convolutional(28, 28, 14, 14, 7, 7);
    expect(teachers(convolutional(14, 14, 7, 7, 7), teacher)).toEqual([2, 3, 4, 4, 5]);
    expect(teachers(convolutional(28, 14, 7), teacher)).toEqual([1, 3, 5]);
  });

  it('goes by depth where the teacher has no such height, and without maps', () => {
    expect(teachers(convolutional(10, 7), convolutional(28, 14, 7, 7))).toEqual([1, 3]);
    const transformer: ModelAnatomy = {
      family: 'transformer',
      layers: [0, 1].map((i) => ({ name: `${i}`, hidden: { name: `${i}`, width: 4 } })),
    };
    expect(matchingLayers(transformer, transformer)).toEqual(uniformLayers(2, 2));
  });
});
