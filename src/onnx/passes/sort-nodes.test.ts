import { describe, expect, it } from 'vitest';
import { subgraph } from '../attributes.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { sortNodes } from './sort-nodes.ts';

const [x, a, b, c] = [valueNamed('x'), valueNamed('a'), valueNamed('b'), valueNamed('c')];

describe('sortNodes', () => {
  it('moves a node behind what it reads, and no other', () => {
    const nodes = [nodeOf('Exp', [b], [c]), nodeOf('Abs', [x], [a]), nodeOf('Neg', [a], [b])];
    expect(operatorsOf(sortNodes(graphOf([x], nodes, [c])))).toEqual(['Abs', 'Neg', 'Exp']);
  });

  it('returns a graph in order as it is', () => {
    const graph = graphOf([x], [nodeOf('Abs', [x], [a]), nodeOf('Neg', [x], [b])], [a, b]);
    expect(sortNodes(graph)).toBe(graph);
  });

  it('counts what a subgraph reads from around it', () => {
    const inner = valueNamed('inner');
    const body = graphOf([], [nodeOf('Neg', [a], [inner])], [inner]);
    const nodes = [nodeOf('If', [x], [b], { then_branch: subgraph(body) }), nodeOf('Abs', [x], [a])];
    expect(operatorsOf(sortNodes(graphOf([x], nodes, [b])))).toEqual(['Abs', 'If']);
  });

  it('orders a chain deeper than the stack', () => {
    const values = Array.from({ length: 50_001 }, (_, i) => valueNamed(`v${i}`));
    const nodes = values.slice(1).map((value, i) => nodeOf('Neg', [values[i]!], [value]));
    const graph = graphOf([values[0]!], [...nodes].reverse(), [values[50_000]!]);
    expect(sortNodes(graph).nodes).toEqual(nodes);
  });

  it('names the nodes of a cycle and not those before it', () => {
    const nodes = [nodeOf('Abs', [b], [c]), nodeOf('Add', [x, b], [a]), nodeOf('Neg', [a], [b])];
    expect(() => sortNodes(graphOf([x], nodes, [c]))).toThrow(
      expect.objectContaining({ code: 'model.cyclic', where: "'Neg:b' (Neg) <- 'Add:a' (Add)" }),
    );
  });
});
