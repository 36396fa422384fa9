import { describe, expect, it } from 'vitest';
import { DATA_TYPE_CODES } from '../data-type.ts';
import type { Graph } from '../graph.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { checkGraph } from './check-graph.ts';
import { removeIdentities } from './remove-identities.ts';

const [x, a, b, c, y] = [valueNamed('x'), valueNamed('a'), valueNamed('b'), valueNamed('c'), valueNamed('y')];
const training = valueNamed('training', 'bool', []);
const rewrite = (graph: Graph) => {
  const result = removeIdentities(graph);
  checkGraph(result);
  return result;
};

describe('removeIdentities', () => {
  it('removes chains of identities, no-op casts and dropouts', () => {
    const nodes = [
      nodeOf('Identity', [x], [a]),
      nodeOf('Cast', [a], [b], { to: DATA_TYPE_CODES.float32 }),
      nodeOf('Dropout', [b], [c]),
      nodeOf('Neg', [c], [y]),
    ];
    const result = rewrite(graphOf([x], nodes, [y]));
    expect(operatorsOf(result)).toEqual(['Neg']);
    expect(result.nodes[0]!.inputs).toEqual([x]);
  });

  it('keeps an identity in front of an output: its name and its input are both there', () => {
    const graph = graphOf([x], [nodeOf('Neg', [x], [a]), nodeOf('Identity', [a], [y])], [y, a]);
    expect(rewrite(graph)).toBe(graph);
  });

  it('keeps casts to another type or of an unknown one', () => {
    const unknown = { name: 'unknown', type: undefined, shape: undefined };
    const nodes = [
      nodeOf('Cast', [x], [a], { to: DATA_TYPE_CODES.int64 }),
      nodeOf('Cast', [unknown], [b], { to: DATA_TYPE_CODES.float32 }),
      nodeOf('Add', [a, b], [y]),
    ];
    const graph = graphOf([x, unknown], nodes, [y]);
    expect(rewrite(graph)).toBe(graph);
  });

  it('keeps a dropout that trains, may train, or whose mask is read', () => {
    const mask = valueNamed('mask', 'bool');
    const truth = { type: 'bool' as const, dims: [], data: Uint8Array.of(1) };
    const dropout = graphOf([x], [nodeOf('Dropout', [x, null, training], [a]), nodeOf('Neg', [a], [y])], [y]);
    expect(rewrite({ ...dropout, initializers: new Map([[training, truth]]) }).nodes).toHaveLength(2);
    expect(rewrite({ ...dropout, inputs: [x, training] }).nodes).toHaveLength(2);
    const off = { ...truth, data: Uint8Array.of(0) };
    expect(rewrite({ ...dropout, initializers: new Map([[training, off]]) }).nodes).toHaveLength(1);
    const masked = graphOf([x], [nodeOf('Dropout', [x], [a, mask]), nodeOf('Neg', [a], [y])], [y, mask]);
    expect(rewrite(masked)).toBe(masked);
  });

  it('keeps an Identity of another domain', () => {
    const custom = { ...nodeOf('Identity', [x], [a]), domain: 'mine' };
    const graph = graphOf([x], [custom, nodeOf('Neg', [a], [y])], [y]);
    const withDomain = { ...graph, opsets: new Map([...graph.opsets, ['mine', 1]]) };
    expect(rewrite(withDomain)).toBe(withDomain);
  });
});
