import { describe, expect, it } from 'vitest';
import { subgraph } from '../attributes.ts';
import { float32, int64, type Tensor, toNumbers } from '../tensor.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { checkGraph } from './check-graph.ts';
import { foldConstants } from './fold-constants.ts';

const x = valueNamed('x', 'float32', [4, 6]);
const ints = (name: string, shape: (number | string)[] = [1]) => valueNamed(name, 'int64', shape);
const [zero, minus] = [ints('zero', []), ints('minus')];
const constants: [ReturnType<typeof valueNamed>, Tensor][] = [
  [zero, int64([0], [])],
  [minus, int64([-1])],
];

describe('foldConstants', () => {
  it('computes what exporters write around a Reshape', () => {
    // x.reshape(x.shape[0], -1)
    const [shape, size, row, target, y] = [
      ints('shape', [2]),
      ints('size', []),
      ints('row'),
      ints('target', ['?']),
      valueNamed('y'),
    ];
    const nodes = [
      nodeOf('Shape', [x], [shape]),
      nodeOf('Gather', [shape, zero], [size], { axis: 0 }),
      nodeOf('Unsqueeze', [size, ints('axes')], [row]),
      nodeOf('Concat', [row, minus], [target], { axis: 0 }),
      nodeOf('Reshape', [x, target], [y]),
    ];
    const axes = nodes[2]!.inputs[1]!;
    const folded = foldConstants(graphOf([x], nodes, [y], [...constants, [axes, int64([0])]]));
    checkGraph(folded);
    expect(operatorsOf(folded)).toEqual(['Reshape']);
    const value = folded.nodes[0]!.inputs[1]!;
    expect(value).toEqual({ name: 'target', type: 'int64', shape: [2] });
    expect(toNumbers(folded.initializers.get(value)!)).toEqual([4, -1]);
  });

  it('makes initializers of Constant nodes, also where only a subgraph reads them', () => {
    const [c, inner, y] = [
      { name: 'c', type: undefined, shape: undefined },
      valueNamed('inner'),
      valueNamed('y'),
    ];
    const body = subgraph(graphOf([], [nodeOf('Neg', [c], [inner])], [inner]));
    const nodes = [
      nodeOf('Constant', [], [c], { value_ints: [3, 4] }),
      nodeOf('If', [x], [y], { then_branch: body, else_branch: body }),
    ];
    const folded = foldConstants(graphOf([x], nodes, [y]));
    checkGraph(folded);
    expect(operatorsOf(folded)).toEqual(['If']);
    expect([...folded.initializers.keys()]).toEqual([{ name: 'c', type: 'int64', shape: [2] }]);
  });

  it('keeps the name of an output that becomes a constant', () => {
    const shape = ints('shape', ['rank']);
    const folded = foldConstants(graphOf([x], [nodeOf('Shape', [x], [shape])], [shape]));
    expect(folded.outputs).toEqual([{ name: 'shape', type: 'int64', shape: [2] }]);
    expect(toNumbers(folded.initializers.get(folded.outputs[0]!)!)).toEqual([4, 6]);
  });

  it('leaves symbolic shapes, parameters, random numbers and large results', () => {
    const open = valueNamed('open', 'float32', ['batch', 6]);
    const w = valueNamed('w', 'float32', [2]);
    const [a, b, c, d] = [ints('a', [2]), valueNamed('b', 'float32', [2]), valueNamed('c'), valueNamed('d')];
    const big = ints('big', [2]);
    const nodes = [
      nodeOf('Shape', [open], [a]),
      nodeOf('Neg', [w], [b]),
      nodeOf('RandomNormal', [], [c], { shape: [2, 3] }),
      nodeOf('ConstantOfShape', [big], [d]),
    ];
    const graph = graphOf(
      [open],
      nodes,
      [a, b, c, d],
      [
        [w, float32([1, 2])],
        [big, int64([1_000_000, 1_000_000])],
      ],
    );
    expect(foldConstants(graph, { parameters: new Set([w]) })).toBe(graph);
    expect(operatorsOf(foldConstants(graph))).not.toContain('Neg');
  });

  it('leaves operator sets before 7, whose broadcasting was another', () => {
    const w = valueNamed('w', 'float32', [1]);
    const y = valueNamed('y', 'float32', [1]);
    const graph = graphOf([], [nodeOf('Neg', [w], [y])], [y], [[w, float32([1])]]);
    const old = { ...graph, opsets: new Map([['', 6]]) };
    expect(foldConstants(old)).toBe(old);
  });
});
