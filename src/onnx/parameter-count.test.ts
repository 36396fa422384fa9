import { expect, it } from 'vitest';
import type { DataType } from './data-type.ts';
import type { Graph, Node, Value } from './graph.ts';
import { GraphBuilder } from './graph-builder.ts';
import { parameterCount } from './parameter-count.ts';
import { type Tensor, zeros } from './tensor.ts';
import { graphOf, nodeOf, valueNamed } from './testing/small-graph.ts';

const x = valueNamed('x', 'float32', ['batch', 6]);

/** Tensors by `name: [type, ...dims]`, and a node over them. */
function graphWith(
  tensors: Readonly<Record<string, readonly [Exclude<DataType, 'string'>, ...number[]]>>,
  nodes: (value: (name: string) => Value) => readonly Node[],
): Graph {
  const contents = new Map<string, readonly [Value, Tensor]>(
    Object.entries(tensors).map(([name, [type, ...dims]]) => [
      name,
      [valueNamed(name, type, dims), zeros(type, dims)],
    ]),
  );
  const between = new Map<string, Value>();
  const value = (name: string): Value => {
    const known = contents.get(name)?.[0] ?? between.get(name) ?? (name === 'x' ? x : undefined);
    if (known) return known;
    const made = valueNamed(name, 'float32', undefined);
    between.set(name, made);
    return made;
  };
  const list = nodes(value);
  return graphOf([x], list, [list.at(-1)!.outputs[0]!], [...contents.values()]);
}

const microsoft = (node: Node): Node => ({ ...node, domain: 'com.microsoft' });

it.each<[string, Graph]>([
  [
    'float32',
    graphWith({ w: ['float32', 6, 4], b: ['float32', 4] }, (v) => [
      nodeOf('Gemm', [v('x'), v('w'), v('b')], [v('y')]),
    ]),
  ],
  [
    'float16',
    graphWith({ w: ['float16', 6, 4], b: ['float16', 4] }, (v) => [
      nodeOf('Gemm', [v('x'), v('w'), v('b')], [v('y')]),
    ]),
  ],
  [
    'QDQ with a scale for each column, and a bias in 32 bits',
    graphWith(
      {
        w: ['int8', 6, 4],
        ws: ['float32', 4],
        wz: ['int8', 4],
        b: ['int32', 4],
        bs: ['float32', 4],
        xs: ['float32'],
        xz: ['uint8'],
      },
      (v) => [
        nodeOf('QuantizeLinear', [v('x'), v('xs'), v('xz')], [v('xq')]),
        nodeOf('DequantizeLinear', [v('xq'), v('xs'), v('xz')], [v('xd')]),
        nodeOf('DequantizeLinear', [v('w'), v('ws'), v('wz')], [v('wd')], { axis: 1 }),
        nodeOf('DequantizeLinear', [v('b'), v('bs')], [v('bd')], { axis: 0 }),
        nodeOf('Gemm', [v('xd'), v('wd'), v('bd')], [v('y')]),
      ],
    ),
  ],
  [
    'dynamic int8, as quantize_dynamic writes it',
    graphWith({ w: ['uint8', 6, 4], ws: ['float32', 4], wz: ['uint8', 4], b: ['float32', 4] }, (v) => [
      nodeOf('DynamicQuantizeLinear', [v('x')], [v('xq'), v('xs'), v('xz')]),
      nodeOf('MatMulInteger', [v('xq'), v('w'), v('xz'), v('wz')], [v('i')]),
      nodeOf('Cast', [v('i')], [v('f')], { to: 1 }),
      nodeOf('Mul', [v('xs'), v('ws')], [v('s')]),
      nodeOf('Mul', [v('f'), v('s')], [v('m')]),
      nodeOf('Add', [v('m'), v('b')], [v('y')]),
    ]),
  ],
  [
    'QLinearMatMul',
    graphWith(
      {
        w: ['int8', 6, 4],
        ws: ['float32'],
        wz: ['int8'],
        b: ['float32', 4],
        xs: ['float32'],
        xz: ['uint8'],
        ys: ['float32'],
        yz: ['uint8'],
      },
      (v) => [
        nodeOf('QuantizeLinear', [v('x'), v('xs'), v('xz')], [v('q')]),
        nodeOf('QLinearMatMul', ['q', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'].map(v), [v('i')]),
        nodeOf('DequantizeLinear', [v('i'), v('ys'), v('yz')], [v('m')]),
        nodeOf('Add', [v('m'), v('b')], [v('y')]),
      ],
    ),
  ],
  [
    'four bits a weight',
    graphWith({ w: ['uint8', 4, 1, 8], ws: ['float32', 4], wz: ['uint8', 4], b: ['float32', 4] }, (v) => [
      microsoft(
        nodeOf('MatMulNBits', [v('x'), v('w'), v('ws'), v('wz')], [v('m')], {
          K: 6,
          N: 4,
          bits: 4,
          block_size: 16,
        }),
      ),
      nodeOf('Add', [v('m'), v('b')], [v('y')]),
    ]),
  ],
  [
    'a table of int8 rows, each with its scale',
    graphWith({ w: ['int8', 6, 4], ws: ['float32', 6, 1], b: ['float32', 4], ids: ['int64', 3] }, (v) => [
      nodeOf('Gather', [v('w'), v('ids')], [v('rows')]),
      nodeOf('Gather', [v('ws'), v('ids')], [v('scales')]),
      nodeOf('Cast', [v('rows')], [v('levels')], { to: 1 }),
      nodeOf('Mul', [v('levels'), v('scales')], [v('m')]),
      nodeOf('Add', [v('m'), v('b')], [v('y')]),
    ]),
  ],
  [
    'constants',
    graphWith({ b: ['float32', 4], shape: ['int64', 2] }, (v) => [
      nodeOf('Constant', [], [v('w')], { value: zeros('float32', [6, 4]) }),
      nodeOf('Gemm', [v('x'), v('w'), v('b')], [v('y')]),
    ]),
  ],
  [
    'weights that are read twice',
    graphWith({ w: ['float32', 6, 4], b: ['float32', 4] }, (v) => [
      nodeOf('MatMul', [v('x'), v('w')], [v('m')]),
      nodeOf('MatMul', [v('x'), v('w')], [v('n')]),
      nodeOf('Sum', [v('m'), v('n'), v('b')], [v('y')]),
    ]),
  ],
])('a layer of 24 weights and 4 biases has 28 parameters: %s', (_, graph) => {
  expect(parameterCount(graph)).toBe(28);
});

it('counts what is inside the branches of an If, once where they share it', () => {
  const g = new GraphBuilder();
  const inner = g.initializer('inner', zeros('float32', [3]));
  g.output(g.identity(inner));
  const y = valueNamed('y', 'float32', [3]);
  const branch = { kind: 'graph' as const, value: g.build() };
  const condition = valueNamed('condition', 'bool', []);
  const graph = graphOf(
    [condition],
    [nodeOf('If', [condition], [y], { then_branch: branch, else_branch: branch })],
    [y],
  );
  expect(parameterCount(graph)).toBe(3);
});
