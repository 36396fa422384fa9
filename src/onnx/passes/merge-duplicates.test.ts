import { describe, expect, it } from 'vitest';
import { float } from '../attributes.ts';
import { float32, int64 } from '../tensor.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { checkGraph } from './check-graph.ts';
import { mergeDuplicates } from './merge-duplicates.ts';

const x = valueNamed('x');
const [a, b, c, d, y] = [valueNamed('a'), valueNamed('b'), valueNamed('c'), valueNamed('d'), valueNamed('y')];

describe('mergeDuplicates', () => {
  it('merges equal chains in one go', () => {
    const nodes = [
      nodeOf('Neg', [x], [a]),
      nodeOf('Neg', [x], [b]),
      nodeOf('Exp', [a], [c]),
      nodeOf('Exp', [b], [d]),
      nodeOf('Add', [c, d], [y]),
    ];
    const merged = mergeDuplicates(graphOf([x], nodes, [y]));
    checkGraph(merged);
    expect(operatorsOf(merged)).toEqual(['Neg', 'Exp', 'Add']);
    expect(merged.nodes[2]!.inputs).toEqual([c, c]);
  });

  it('tells attributes, operands and their order, 0 and -0 apart', () => {
    const nodes = [
      nodeOf('LeakyRelu', [x], [a], { alpha: float(0) }),
      nodeOf('LeakyRelu', [x], [b], { alpha: float(-0) }),
      nodeOf('Sub', [a, b], [c]),
      nodeOf('Sub', [b, a], [d]),
      nodeOf('Add', [c, d], [y]),
    ];
    const graph = graphOf([x], nodes, [y]);
    expect(mergeDuplicates(graph)).toBe(graph);
  });

  it('leaves random numbers and unknown domains', () => {
    const custom = (output: typeof a) => ({ ...nodeOf('Read', [x], [output]), domain: 'mine' });
    const nodes = [
      nodeOf('RandomNormalLike', [x], [a]),
      nodeOf('RandomNormalLike', [x], [b]),
      custom(c),
      custom(d),
      nodeOf('Sum', [a, b, c, d], [y]),
    ];
    const graph = graphOf([x], nodes, [y]);
    expect(mergeDuplicates(graph)).toBe(graph);
  });

  it('merges equal shapes but never parameters that start equal', () => {
    const [s, t] = [valueNamed('s', 'int64', [2]), valueNamed('t', 'int64', [2])];
    const [w, v] = [valueNamed('w', 'float32', [2]), valueNamed('v', 'float32', [2])];
    const nodes = [nodeOf('Expand', [w, s], [a]), nodeOf('Expand', [v, t], [b]), nodeOf('Add', [a, b], [y])];
    const merged = mergeDuplicates(
      graphOf(
        [],
        nodes,
        [y],
        [
          [s, int64([2, 2])],
          [t, int64([2, 2])],
          [w, float32([0, 0])],
          [v, float32([0, 0])],
        ],
      ),
    );
    checkGraph(merged);
    expect([...merged.initializers.keys()]).toEqual([s, w, v]);
    expect(merged.nodes).toHaveLength(3);
  });

  it('keeps both of two equal outputs', () => {
    const graph = graphOf([x], [nodeOf('Neg', [x], [a]), nodeOf('Neg', [x], [b])], [a, b]);
    expect(mergeDuplicates(graph)).toBe(graph);
  });
});
