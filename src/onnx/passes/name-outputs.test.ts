import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph-builder.ts';
import { checkGraph } from './check-graph.ts';
import { nameOutputs } from './name-outputs.ts';

describe('nameOutputs', () => {
  it('gives the name to the node that computes the output, and to its readers', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2]);
    const square = g.mul(x, x);
    g.output(square, 'square');
    g.output(g.add(square, x), 'sum');
    const graph = nameOutputs(g.build());
    checkGraph(graph);
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(['Mul', 'Add']);
    expect(graph.nodes[1].inputs[0]).toBe(graph.outputs[0]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['square', 'sum']);
  });

  it('keeps the Identity of an input, and of a value with two names', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2]);
    const y = g.neg(x);
    g.output(x, 'copy');
    g.output(y, 'first');
    g.output(y, 'second');
    const graph = nameOutputs(g.build());
    checkGraph(graph);
    expect(graph.nodes.filter(({ opType }) => opType === 'Identity')).toHaveLength(2);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['copy', 'first', 'second']);
  });
});
