import { expect, test } from 'vitest';
import { layeredModel } from '../../teachers/testing/layered-model.ts';
import { describeModel } from './describe-model.ts';
import { feedForwardWidth } from './feed-forward-width.ts';

test('the width inside of a feed-forward block is what its last product reads', () => {
  const graph = layeredModel({ width: 16, heads: 2, inner: 3, layers: 2 });
  const hidden = describeModel(graph).layers.map((layer) => layer.hidden?.name as string);
  expect(hidden.map((name) => feedForwardWidth(graph, name))).toEqual([48, 48]);
  expect(feedForwardWidth(graph, 'nothing')).toBeUndefined();
});
