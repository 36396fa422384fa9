import { describe, expect, it } from 'vitest';
import type { LimbeckError } from '../errors.ts';
import type { ModelLayer } from '../onnx/anatomy/anatomy.ts';
import type { LayerMap } from '../onnx/anatomy/layer-map.ts';
import { FEATURE_MAPS, type LayerPart, layerPairs, stagePairs } from './layer-pairs.ts';
import type { ObjectiveContext } from './objective.ts';

function contextOf(
  student: readonly ModelLayer[],
  teacher: readonly ModelLayer[],
  pairs: readonly (readonly [student: number, teacher: number, weight?: number])[],
): ObjectiveContext {
  const layers: LayerMap = pairs.map(([own, other, weight = 1]) => ({
    student: own,
    teacher: other,
    weight,
  }));
  const anatomy = (of: readonly ModelLayer[]) => ({ family: 'other' as const, layers: of });
  return { classes: 2, models: { student: anatomy(student), teacher: anatomy(teacher), layers } };
}

const HIDDEN: LayerPart<string> = { title: 'hidden states', of: ({ hidden }) => hidden?.name };
const states = (...names: (string | null)[]): ModelLayer[] =>
  names.map((name, i) => ({ name: `layer_${i}`, ...(name === null ? {} : { hidden: { name, width: 4 } }) }));
const maps = (...heights: number[]): ModelLayer[] =>
  heights.map((height, i) => ({
    name: `layer_${i}`,
    features: { name: `${i}`, channels: 8, height, width: height, endsStage: heights[i + 1] !== height },
  }));

function errorOf(act: () => unknown): LimbeckError {
  try {
    act();
  } catch (error) {
    return error as LimbeckError;
  }
  throw new Error('nothing was thrown');
}

describe('layerPairs', () => {
  it('are those where both sides have what is looked at, by their shares', () => {
    const context = contextOf(states('a', 'b', null), states('A', 'B', 'C'), [
      [0, 0, 0.5],
      [1, 2, 1.5],
      [2, 2, 1],
    ]);
    expect(layerPairs(context, 'hidden', HIDDEN)).toEqual([
      { student: 'a', teacher: 'A', share: 0.25 },
      { student: 'b', teacher: 'C', share: 0.75 },
    ]);
  });

  it('tell which side lacks it, and what layers there are', () => {
    const context = contextOf(states('a'), maps(14, 7), [[0, 1]]);
    const error = errorOf(() => layerPairs(context, 'hidden', HIDDEN));
    expect(error.code).toBe('recipe.no-layers');
    expect(error.message).toBe("the teacher has no hidden states, which the loss 'hidden' compares");
    expect(error.where).toContain('of the teacher: layer_0, layer_1');
    expect(error.remedy).toContain('limbeck inspect');
    const both = errorOf(() => layerPairs(context, 'features', { ...FEATURE_MAPS, of: () => undefined }));
    expect(both.message).toContain('the student and the teacher have no feature maps');
  });

  it('tell where the map pairs none of the layers that have it', () => {
    const context = contextOf(states('a', null), states(null, 'B'), [
      [0, 0],
      [1, 1],
    ]);
    const { message } = errorOf(() => layerPairs(context, 'hidden', HIDDEN));
    expect(message).toContain('no pair of layers has hidden states on both sides');
  });

  it('need the models', () => {
    expect(errorOf(() => layerPairs({ classes: 2 }, 'hidden', HIDDEN)).code).toBe('recipe.no-layers');
  });
});

describe('stagePairs', () => {
  const names = (context: ObjectiveContext) =>
    stagePairs(context, 'features').map(({ student, teacher, share }) => [student.name, teacher.name, share]);

  it('are moved to the ends of stages, one for each stage of the student', () => {
    const context = contextOf(maps(14, 14, 7), maps(28, 14, 14, 7, 7), [
      [1, 1],
      [0, 0],
      [2, 3],
    ]);
    expect(names(context)).toEqual([
      ['1', '2', 0.5],
      ['2', '4', 0.5],
    ]);
  });

  it('are those of the map alone', () => {
    expect(names(contextOf(maps(14, 7), maps(14, 7), [[1, 0]]))).toEqual([['1', '0', 1]]);
  });
});
