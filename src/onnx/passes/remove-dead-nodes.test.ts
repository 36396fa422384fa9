import { describe, expect, it } from 'vitest';
import { subgraph } from '../attributes.ts';
import { float32 } from '../tensor.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';

const x = valueNamed('x');
const [a, b, c] = [valueNamed('a'), valueNamed('b'), valueNamed('c')];
const [w, v] = [valueNamed('w', 'float32', [1]), valueNamed('v', 'float32', [1])];
const weights = [
  [w, float32([1])],
  [v, float32([2])],
] as const;

describe('removeDeadNodes', () => {
  it('removes chains and initializers that no output needs, and keeps the inputs', () => {
    const nodes = [nodeOf('Add', [x, w], [a]), nodeOf('Mul', [x, v], [b]), nodeOf('Neg', [b], [c])];
    const alive = removeDeadNodes(graphOf([x], nodes, [a], weights));
    expect(operatorsOf(alive)).toEqual(['Add']);
    expect([...alive.initializers.keys()]).toEqual([w]);
    expect(alive.inputs).toEqual([x]);
  });

  it('keeps what only a subgraph reads', () => {
    const inner = valueNamed('inner');
    const body = subgraph(graphOf([], [nodeOf('Add', [a, w], [inner])], [inner]));
    const nodes = [nodeOf('Neg', [x], [a]), nodeOf('If', [x], [b], { then_branch: body, else_branch: body })];
    const alive = removeDeadNodes(graphOf([x], nodes, [b], weights));
    expect(operatorsOf(alive)).toEqual(['Neg', 'If']);
    expect([...alive.initializers.keys()]).toEqual([w]);
  });

  it('keeps all outputs of a node of which one is needed', () => {
    const split = nodeOf('Split', [x], [a, b]);
    expect(removeDeadNodes(graphOf([x], [split], [b])).nodes).toEqual([split]);
  });

  it('keeps initializers that are outputs', () => {
    const graph = graphOf([], [], [w, v], weights);
    expect(removeDeadNodes(graph)).toBe(graph);
  });
});
