import { describe, expect, it } from 'vitest';
import { float32, int64 } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { checkGraph } from './check-graph.ts';
import { narrowSplits } from './narrow-splits.ts';

/** A Split of [2, 1 + 2 + 3 + 1 + ...] along its last axis. */
function splitInto(count: number, axis: number) {
  const sizes = Array.from({ length: count }, (_, i) => (i % 3) + 1);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const x = valueNamed('x', 'float32', [2, total]);
  const outputs = sizes.map((size, i) => valueNamed(`y${i}`, 'float32', [2, size]));
  const wanted = valueNamed('sizes', 'int64', [count]);
  const node = nodeOf('Split', [x, wanted], outputs, { axis });
  const feeds = {
    x: float32(
      Float32Array.from({ length: 2 * total }, (_, i) => i),
      [2, total],
    ),
  };
  return { graph: graphOf([x], [node], outputs, [[wanted, int64(sizes)]]), feeds };
}

describe('narrowSplits', () => {
  it.each([
    [8, 1],
    [49, -1],
    [50, 1],
    [120, -1],
  ])('a Split into %i along axis %i gives the same from nodes of 7 outputs or fewer', async (count, axis) => {
    const { graph, feeds } = splitInto(count, axis);
    const narrow = narrowSplits(graph);
    checkGraph(narrow);
    expect(Math.max(...narrow.nodes.map((node) => node.outputs.length))).toBe(7);
    expect(new Set(operatorsOf(narrow))).toEqual(new Set(['Split']));
    expect(await runGraph(narrow, feeds)).toEqual(await runGraph(graph, feeds));
  });

  it('leaves narrow ones, and those whose sizes are computed', () => {
    const { graph } = splitInto(7, 1);
    expect(narrowSplits(graph)).toBe(graph);
    const wide = splitInto(9, 1).graph;
    const computed = {
      ...wide,
      inputs: [...wide.inputs, ...wide.initializers.keys()],
      initializers: new Map(),
    };
    expect(narrowSplits(computed)).toBe(computed);
  });
});
