import { expect, it } from 'vitest';
import { checkRecipe } from '../../recipe/parse.ts';
import { baselineStage } from './baseline.ts';
import { peerStage } from './peer.ts';

const recipe = (more: object) =>
  checkRecipe({
    name: 'mine',
    data: { source: { kind: 'csv', path: 'rows.csv' } },
    teacher: { kind: 'use-lite' },
    student: { kind: 'text-conv' },
    ...more,
  });
const stages = (more: object, baseline?: boolean) =>
  [baselineStage, peerStage].filter(({ applies }) =>
    applies?.(recipe(more), { out: 'out', ...(baseline !== undefined && { baseline }) }),
  );

it('baseline: false leaves out what --no-baseline leaves out', () => {
  expect(stages({})).toHaveLength(2);
  expect(stages({ baseline: false })).toEqual([]);
  expect(stages({ baseline: false }, true)).toEqual([]);
  expect(stages({}, false)).toEqual([]);
  // A peer that helps to teach is trained all the same.
  const assisted = { baseline: false, objective: { kd: { weight: 1, assistant: 1 } } };
  expect(stages(assisted)).toEqual([peerStage]);
});
