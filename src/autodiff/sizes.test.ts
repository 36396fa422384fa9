import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, toNumbers } from '../onnx/tensor.ts';
import {
  addSizes,
  asOperand,
  countAlong,
  expandTo,
  reshapeTo,
  shapeVector,
  sizeOf,
  sizesOf,
} from './sizes.ts';
import { loadGraph } from './testing/run-graph.ts';

describe('sizes', () => {
  it('are numbers, and emit nothing, where shapes are static', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 3]);
    expect(sizesOf(g, x)).toEqual([2, 3]);
    expect(countAlong(g, x)).toBe(6);
    expect(addSizes(g, sizeOf(g, x, 1), 4)).toBe(7);
    expect(asOperand(g, 7, 'float32')).toBe(7);
    expect(g.nodes).toEqual([]);
    expect(reshapeTo(g, x, [3, 2]).shape).toEqual([3, 2]);
  });

  it('are computed when the model runs where they are symbolic', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 3, 'length']);
    const doubled = g.mul(x, 2);
    const [batch, three, length] = sizesOf(g, doubled);
    const rows = reshapeTo(g, doubled, [countAlong(g, doubled, [0, 1]), length]);
    g.output(rows, 'rows');
    g.output(reshapeTo(g, doubled, [batch, countAlong(g, x, [1, 2])]), 'flat');
    g.output(expandTo(g, g.scalar(1), [addSizes(g, batch, three), 2]), 'ones');
    g.output(g.mul(g.scalar(1), asOperand(g, countAlong(g, x), 'float32')), 'count');
    g.output(shapeVector(g, [batch, 1, 2, length]), 'vector');
    const data = Array.from({ length: 24 }, (_, i) => i);
    const results = await (await loadGraph(g.build()))({ x: float32(data, [2, 3, 4]) });
    const dims = Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.dims]));
    expect(dims).toEqual({ rows: [6, 4], flat: [2, 12], ones: [5, 2], count: [], vector: [4] });
    expect(toNumbers(results.vector)).toEqual([2, 1, 2, 4]);
    expect(toNumbers(results.count)).toEqual([24]);
  });

  it('are read from an input where an inner value has the same', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 3]);
    sizeOf(g, g.exp(x), 0);
    expect(g.nodes.at(-1)?.inputs).toEqual([x]);
  });
});
