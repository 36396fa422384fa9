import { describe, expect, it } from 'vitest';
import { type AttributeInits, subgraph, toAttributes } from '../onnx/attributes.ts';
import type { DataType } from '../onnx/data-type.ts';
import { decompose } from '../onnx/decompose/decompose.ts';
import type { Graph, Node, Shape, Value } from '../onnx/graph.ts';
import { float32, int64, type Tensor, tensor } from '../onnx/tensor.ts';
import { int32, normal } from '../onnx/testing/one-node.ts';
import { graphOf, operatorsOf, valueNamed } from '../onnx/testing/small-graph.ts';
import { checkModelGradients, runModel } from './testing/check-model.ts';

const untyped = (name: string): Value => ({ name, type: undefined, shape: undefined });
const value = (name: string, type: DataType, shape: Shape): Value => ({ name, type, shape });
const node = (
  opType: string,
  inputs: (Value | null)[],
  outputs: Value[],
  attributes: AttributeInits = {},
): Node => ({
  name: `${opType}_${outputs[0]!.name}`,
  opType,
  domain: '',
  inputs,
  outputs,
  attributes: toAttributes(attributes),
});

/** A model that ends in the mean of sin(y) for all outputs of `last`. */
function model(inputs: Value[], nodes: Node[], ys: Value[], initializers: [Value, Tensor][] = []): Graph {
  const sines = ys.map((y, i) => node('Sin', [y], [untyped(`sine${i}`)]));
  const means = sines.map((sine, i) =>
    node('ReduceMean', [sine.outputs[0]!], [untyped(`mean${i}`)], { keepdims: 0 }),
  );
  const loss = valueNamed('loss', 'float32', []);
  const sum = node(
    'Sum',
    means.map((mean) => mean.outputs[0]!),
    [loss],
  );
  const graph = graphOf(inputs, [...nodes, ...sines, ...means, sum], [loss], initializers);
  return { ...graph, opsets: new Map([['', 17]]) };
}

/** Whether differences, and what is left of loops, are as they should be. */
async function check(
  graph: Graph,
  feeds: Record<string, Tensor>,
  wrt: string[],
  left: string[] = [],
): Promise<void> {
  const apart = decompose(graph);
  expect([...new Set(operatorsOf(apart))].filter((op) => /^(Loop|Scan|If|LSTM|GRU|RNN)$/.test(op))).toEqual(
    left,
  );
  const [exact, found] = [await runModel(graph, feeds), await runModel(apart, feeds)];
  expect(found.loss![0]).toBeCloseTo(exact.loss![0]!, 5);
  await checkModelGradients(graph, feeds, wrt, { step: 5e-3 });
}

const [T, B, I, H] = [4, 3, 5, 2];

describe.each(['RNN', 'GRU', 'LSTM'])('%s', (op) => {
  const gates = { RNN: 1, GRU: 3, LSTM: 4 }[op]!;
  const layer = (steps: Shape, directions: number, lengths: boolean, state: boolean, batchFirst = false) => {
    const [t, b] = steps as [number | string, number | string];
    const inputs = [
      value('x', 'float32', batchFirst ? [b, t, I] : [t, b, I]),
      value('W', 'float32', [directions, gates * H, I]),
      value('R', 'float32', [directions, gates * H, H]),
      value('bias', 'float32', [directions, 2 * gates * H]),
      ...(lengths ? [value('lengths', 'int32', [b])] : []),
      ...(state ? [value('h0', 'float32', batchFirst ? [b, directions, H] : [directions, b, H])] : []),
      ...(state && op === 'LSTM'
        ? [value('c0', 'float32', batchFirst ? [b, directions, H] : [directions, b, H])]
        : []),
    ];
    const named = new Map(inputs.map((input) => [input.name, input]));
    const outputs = ['y', 'h', ...(op === 'LSTM' ? ['c'] : [])].map(untyped);
    const all = ['x', 'W', 'R', 'bias', 'lengths', 'h0', 'c0'].map((name) => named.get(name) ?? null);
    while (all.at(-1) === null) all.pop();
    const direction = directions === 2 ? 'bidirectional' : 'forward';
    const attributes = { hidden_size: H, direction, ...(batchFirst && { layout: 1 }) };
    return model(inputs, [node(op, all, outputs, attributes)], outputs);
  };
  const feeds = (graph: Graph): Record<string, Tensor> => {
    const sizes: Record<string, number> = { t: T, b: B };
    return Object.fromEntries(
      graph.inputs.map(({ name, shape, type }) => {
        const dims = shape!.map((dim) => (typeof dim === 'string' ? sizes[dim]! : dim));
        return [name, type === 'int32' ? int32([2, T, 1]) : normal(...dims)];
      }),
    );
  };
  const floats = (graph: Graph) =>
    graph.inputs.flatMap(({ name, type }) => (type === 'float32' ? [name] : []));

  it.each([1, 2])('over a length that is only known when it runs, %d directions', async (directions) => {
    const graph = layer(['t', 'b'], directions, false, false);
    await check(graph, feeds(graph), floats(graph), ['Scan']);
  });

  it('from a state, over texts of several lengths', async () => {
    for (const steps of [
      ['t', 'b'],
      [T, B],
    ]) {
      const graph = layer(steps, 2, true, true);
      await check(graph, feeds(graph), floats(graph), steps[0] === 't' ? ['Scan'] : []);
    }
  });
});

/** h = tanh(h w) + i, and a list of h w. */
function loopBody(h: Shape, w: Value): Graph {
  const [i, condition, before] = [
    value('i', 'int64', []),
    value('keep', 'bool', []),
    value('h', 'float32', h),
  ];
  const [product, squashed, place, after, kept, row] = [
    'product',
    'squashed',
    'place',
    'after',
    'kept',
    'row',
  ].map(untyped) as [Value, Value, Value, Value, Value, Value];
  return {
    ...graphOf(
      [i, condition, before],
      [
        node('MatMul', [before, w], [product]),
        node('Tanh', [product], [squashed]),
        node('Cast', [i], [place], { to: 1 }),
        node('Add', [squashed, place], [after]),
        node('Identity', [condition], [kept]),
        node('Identity', [product], [row]),
      ],
      [kept, after, row],
    ),
  };
}

describe('Loop', () => {
  const [x, w] = [value('x', 'float32', [4, 5]), value('w', 'float32', [5, 5])];
  const feeds = { x: normal(4, 5), w: normal(5, 5) };
  const looped = (
    count: Value,
    condition: Value | null,
    nodes: Node[],
    initializers: [Value, Tensor][],
    inputs = [x, w],
  ) => {
    const [y, rows] = [untyped('y'), untyped('rows')];
    return model(
      inputs,
      [...nodes, node('Loop', [count, condition, x], [y, rows], { body: subgraph(loopBody([4, 5], w)) })],
      [y, rows],
      initializers,
    );
  };

  it('of a known count', async () => {
    const n = value('n', 'int64', []);
    await check(looped(n, null, [], [[n, int64([3], [])]]), feeds, ['x', 'w']);
    const yes = value('yes', 'bool', []);
    await check(
      looped(
        n,
        yes,
        [],
        [
          [n, int64([2], [])],
          [yes, tensor('bool', [], Uint8Array.of(1))],
        ],
      ),
      feeds,
      ['x', 'w'],
    );
  });

  it('of a count that is a size', async () => {
    const [shape, size, zero] = [untyped('shape'), untyped('size'), value('zero', 'int64', [])];
    const nodes = [node('Shape', [x], [shape]), node('Gather', [shape, zero], [size], { axis: 0 })];
    await check(looped(size, null, nodes, [[zero, int64([0], [])]]), feeds, ['x', 'w']);
  });

  it('of a count that is only known when it runs', async () => {
    const n = value('n', 'int64', []);
    const graph = looped(n, null, [], [], [x, w, n]);
    await check(graph, { ...feeds, n: int64([3], []) }, ['x', 'w'], ['Scan']);
  });
});

describe('Scan', () => {
  const w = value('w', 'float32', [3, 3]);
  /** Two states; s + x w and a product of both as rows. */
  const body = (): Graph => {
    const [s, p, x] = ['s', 'p', 'row'].map((name) => value(name, 'float32', [2, 3])) as [
      Value,
      Value,
      Value,
    ];
    const [xw, s1, p1, y] = ['xw', 's1', 'p1', 'yrow'].map(untyped) as [Value, Value, Value, Value];
    return graphOf(
      [s, p, x],
      [
        node('MatMul', [x, w], [xw]),
        node('Add', [s, xw], [s1]),
        node('Tanh', [s1], [p1]),
        node('Mul', [p, s1], [y]),
      ],
      [s1, p1, y],
    );
  };
  const scanned = (length: number | string, attributes: AttributeInits) => {
    const [s, p] = [value('s0', 'float32', [2, 3]), value('p0', 'float32', [2, 3])];
    const axes = attributes.scan_input_axes ? [2, length, 3] : [length, 2, 3];
    const x = value('x', 'float32', axes);
    const outputs = ['s2', 'p2', 'ys'].map(untyped);
    const scan = node('Scan', [s, p, x], outputs, {
      body: subgraph(body()),
      num_scan_inputs: 1,
      ...attributes,
    });
    return model([s, p, x, w], [scan], outputs);
  };
  const forms: [string, AttributeInits][] = [
    ['forward', {}],
    ['from the last row', { scan_input_directions: [1] }],
    ['from the last row, written back', { scan_input_directions: [1], scan_output_directions: [1] }],
    ['along other axes', { scan_input_axes: [1], scan_output_axes: [2] }],
  ];
  it.each(forms)('%s', async (_, attributes) => {
    for (const length of [4, 't']) {
      const x = attributes.scan_input_axes ? normal(2, 4, 3) : normal(4, 2, 3);
      const feeds = {
        s0: normal(2, 3),
        p0: normal(2, 3),
        x,
        w: float32(normal(3, 3).data as Float32Array, [3, 3]),
      };
      await check(scanned(length, attributes), feeds, ['s0', 'p0', 'x', 'w'], length === 't' ? ['Scan'] : []);
    }
  });
});
