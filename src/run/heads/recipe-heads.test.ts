import { expect, test } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { headsOf } from './recipe-heads.ts';

const dataset = {
  spaces: {},
  labels: [],
  splits: { labelled: { size: 0 } },
  inputs: [],
} as unknown as Dataset;
const recipe = (target: string, width?: number) => ({
  task: 'feature-extraction',
  data: { source: {} } as never,
  outputs: { vector: { target, ...(width && { width }) } } as never,
});

test('vectors that only the teacher knows have its width', () => {
  const taught = { vector: { width: 512 } };
  expect(headsOf(recipe('embedding'), dataset, taught)[0]?.space).toEqual({ width: 512 });
  expect(headsOf(recipe('embedding', 512), dataset, taught)[0]?.space).toEqual({ width: 512 });
  expect(() => headsOf(recipe('embedding', 64), dataset, taught)).toThrow(
    expect.objectContaining({ code: 'recipe.invalid', where: 'outputs.vector.width' }),
  );
  // What belongs together is known without the teacher, whose vectors may be wider.
  expect(headsOf(recipe('pairs', 64), dataset, taught)[0]?.space).toEqual({ width: 128 });
});
