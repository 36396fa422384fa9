import { expect, it } from 'vitest';
import type { TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32 } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { operatorsOf } from '../testing/small-graph.ts';
import { checkGraph } from './check-graph.ts';
import { positiveMasks } from './positive-masks.ts';

/** Zeros, the smallest that count as 1, large ones and what is no number. */
const NUMBERS = [-3e38, -1, -1e-40, -0, 0, 2 ** -100, 1e-20, 0.5, 1, 3e38, Infinity, -Infinity];

function model(build: (g: GraphBuilder, x: TypedValue) => TypedValue) {
  const g = new GraphBuilder();
  g.output(build(g, g.input('x', 'float32', [NUMBERS.length])), 'mask');
  return g.build();
}

it('gives 1 for positive numbers and 0 for others, in one node', async () => {
  const graph = model((g, x) => g.cast(g.greater(x, 0), 'float32'));
  const one = positiveMasks(graph);
  checkGraph(one);
  expect(operatorsOf(one)).toEqual([
    'HardSigmoid',
    ...operatorsOf(graph).filter((name) => name === 'Identity'),
  ]);
  const feeds = { x: float32(NUMBERS, [NUMBERS.length]) };
  expect(await runGraph(one, feeds)).toEqual(await runGraph(graph, feeds));
});

it('keeps a comparison that something else reads', async () => {
  const graph = model((g, x) => {
    const positive = g.greater(x, 0);
    return g.where(positive, g.cast(positive, 'float32'), -1);
  });
  const one = positiveMasks(graph);
  expect(operatorsOf(one)).toEqual(expect.arrayContaining(['Greater', 'HardSigmoid', 'Where']));
  const feeds = { x: float32(NUMBERS, [NUMBERS.length]) };
  expect(await runGraph(one, feeds)).toEqual(await runGraph(graph, feeds));
});

it.each<[string, (g: GraphBuilder, x: TypedValue) => TypedValue]>([
  ['another bound', (g, x) => g.cast(g.greater(x, 1), 'float32')],
  ['a bound for each element', (g, x) => g.cast(g.greater(x, g.neg(x)), 'float32')],
  ['another type', (g, x) => g.cast(g.cast(g.greater(x, 0), 'int32'), 'float32')],
  ['numbers of 64 bits', (g, x) => g.cast(g.cast(g.greater(g.cast(x, 'float64'), 0), 'int64'), 'float32')],
])('leaves %s', (_, build) => {
  const graph = model(build);
  expect(operatorsOf(positiveMasks(graph))).toEqual(operatorsOf(graph));
});
