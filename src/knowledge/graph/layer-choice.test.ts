import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniformLayers } from '../../onnx/anatomy/layer-map.ts';
import { headWeights, layerMapFromGraph } from './layer-choice.ts';

const teacher = (importances: readonly number[]) => ({
  layers: importances.map((importance, layer) => ({
    name: `layer_${layer}`,
    importance,
    heads: [],
    channels: [],
  })),
});

describe('layerMapFromGraph', () => {
  it('takes the layers that matter, near the depth of who learns', () => {
    const pairs = layerMapFromGraph(teacher([0, 0.3, 0, 0, 0.4, 0.3]), 3);
    expect(pairs.map((pair) => pair.teacher)).toEqual([1, 4, 5]);
    // Importances 0.3, 0.4, 0.3 have a mean of 1/3: (1 + 0.9) / 2, (1 + 1.2) / 2.
    expect(pairs.map(({ weight }) => weight)).toEqual(
      [0.95, 1.1, 0.95].map((value) => expect.closeTo(value)),
    );
  });

  it('is the uniform map where all matter the same, or nothing is known', () => {
    for (const [students, teachers] of [
      [2, 6],
      [3, 12],
      [4, 4],
      [1, 5],
    ] as const)
      for (const importance of [1 / teachers, 0])
        expect(layerMapFromGraph(teacher(new Array(teachers).fill(importance)), students)).toEqual(
          uniformLayers(students, teachers),
        );
  });

  it('keeps the order, ends with the last, and weighs 1 in the mean', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1, max: 14 }),
        (importances, students) => {
          const pairs = layerMapFromGraph(teacher(importances), students);
          expect(pairs.map(({ student }) => student)).toEqual(Array.from({ length: students }, (_, i) => i));
          expect(pairs.at(-1)?.teacher).toBe(importances.length - 1);
          const step = importances.length >= students ? 1 : 0;
          for (let i = 1; i < students; i++)
            expect(pairs[i]!.teacher - pairs[i - 1]!.teacher).toBeGreaterThanOrEqual(step);
          const mean = pairs.reduce((sum, { weight }) => sum + weight, 0) / students;
          expect(mean).toBeCloseTo(1, 6);
          for (const { teacher: layer, weight } of pairs) {
            expect(layer).toBeGreaterThanOrEqual(0);
            expect(weight).toBeGreaterThanOrEqual(0.5);
          }
        },
      ),
    );
  });

  it('finds the best map: none of all others is worth more', () => {
    const worth = (importances: readonly number[], chosen: readonly number[]) =>
      chosen.reduce(
        (sum, layer, i) =>
          sum +
          (importances[layer] as number) *
            (1 - Math.abs((i + 1) / chosen.length - (layer + 1) / importances.length)),
        0,
      );
    const maps = (teachers: number, students: number, from = 0): number[][] =>
      students === 0
        ? [[]]
        : Array.from({ length: teachers - from }, (_, i) => from + i).flatMap((layer) =>
            maps(teachers, students - 1, layer + 1).map((rest) => [layer, ...rest]),
          );
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 8 }),
        (importances) => {
          const chosen = layerMapFromGraph(teacher(importances), 3).map((pair) => pair.teacher);
          const all = maps(importances.length, 3).filter((map) => map.at(-1) === importances.length - 1);
          const best = Math.max(...all.map((map) => worth(importances, map)));
          expect(worth(importances, chosen)).toBeCloseTo(best, 9);
        },
      ),
    );
  });
});

it('heads weigh 1 in the mean of their layer', () => {
  const layers = [
    { name: 'a', importance: 1, heads: [0.75, 0.25], channels: [] },
    { name: 'b', importance: 0, heads: [0, 0], channels: [] },
    { name: 'c', importance: 0, heads: [], channels: [1] },
  ];
  expect(headWeights({ layers })).toEqual([[1.5, 0.5], [1, 1], []]);
});
