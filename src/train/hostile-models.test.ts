import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differentiateModel } from '../autodiff/differentiate-model.ts';
import { LimbeckError } from '../errors.ts';
import { type AttributeInits, toAttributes } from '../onnx/attributes.ts';
import type { Graph, Node, Shape, Value } from '../onnx/graph.ts';
import { readModel } from '../onnx/read-model.ts';
import { float32, int64, type Tensor, tensor } from '../onnx/tensor.ts';
import { graphOf } from '../onnx/testing/small-graph.ts';
import { writeModel } from '../onnx/write-model.ts';
import { compileModel } from './compile-model.ts';

const BIG = 2_000_000_000;
const scalar = (value: number) => tensor('int64', [], BigInt64Array.of(BigInt(value)));
const codes = tensor('int8', [4], Int8Array.of(1, 2, 3, 4));
const untyped = (name: string): Value => ({ name, type: undefined, shape: undefined });

/** An operator, what goes in (shapes of float inputs, or constants), attributes, outputs: a few bytes each. */
const CASES: [
  operator: string,
  inputs: (Shape | Tensor | null)[],
  attributes?: AttributeInits,
  outputs?: number,
][] = [
  ['ConstantOfShape', [int64([60_000, 60_000])]],
  ['ConstantOfShape', [int64(new Array(300).fill(1))]],
  ['Expand', [[1], int64([BIG, 2])]],
  ['Tile', [[2], int64([BIG])]],
  ['Range', [scalar(0), scalar(9e12), scalar(1)]],
  ['Pad', [[2, 2], int64([BIG, 0, 0, BIG])], { mode: 'reflect' }],
  ['OneHot', [int64([1, 2]), int64([BIG]), float32([0, 1])]],
  ['Resize', [[1, 1, 60_000, 1], null, null, int64([1, 1, 60_001, 1])], { mode: 'linear' }],
  ['Resize', [[1, 1, 3, 3], null, float32([1, 1, 1e9, 1e9])]],
  ['Resize', [[1, 1, 3, 3], null, float32([1, 1, Number.NaN, -1])]],
  ['LRN', [[1, 60_000, 2, 2]], { size: 30_001 }],
  ['LRN', [[1, 8, 2, 2]], { size: BIG }],
  ['AveragePool', [[1, 1, 2_147_483_647, 4]], { kernel_shape: [2, 2], pads: [1, 1, 1, 1] }],
  ['AveragePool', [[1, 1, 8, 8]], { kernel_shape: [BIG, BIG] }],
  ['AveragePool', [[1, 1, 8, 8]], { kernel_shape: [2, 2], strides: [0, 0] }],
  ['LpPool', [[1, 1, 8, 8]], {}],
  ['MaxPool', [[1, 1, 8, 8]], { kernel_shape: [-2, -2] }],
  [
    'Conv',
    [
      [1, 2, 8, 8],
      [2, 1, 100_000, 100_000],
    ],
    { group: 2, pads: [100_000, 100_000, 100_000, 100_000] },
  ],
  [
    'Conv',
    [
      [1, 1, 8, 8],
      [1, 1, 3, 3],
    ],
    { strides: 'abc' },
  ],
  [
    'ConvTranspose',
    [
      [1, 1, 8, 8],
      [1, 1, 3, 3],
    ],
    { output_shape: [BIG, BIG] },
  ],
  ['GRU', [[3, 1, 2]]],
  [
    'LSTM',
    [
      [1_000_000, 1, 1],
      [1, 4, 1],
      [1, 4, 1],
    ],
    { hidden_size: 1 },
  ],
  [
    'LSTM',
    [
      [3, 1, 2],
      [100_000, 4, 2],
      [100_000, 4, 1],
    ],
    { hidden_size: 1 },
  ],
  ['Split', [[BIG]], { num_outputs: BIG }],
  ['SplitToSequence', [[BIG], scalar(1)]],
  ['Col2Im', [[1, 4, 4], int64([BIG, BIG]), int64([BIG, BIG])]],
  ['AffineGrid', [[1, 2, 3], int64([1, 1, 100_000, 100_000])]],
  [
    'GridSample',
    [
      [1, 1, ...new Array<number>(10).fill(2)],
      [1, ...new Array<number>(10).fill(2), 10],
    ],
    { mode: 'cubic' },
  ],
  ['Unsqueeze', [[2], int64(Array.from({ length: 300 }, (_, i) => i))]],
  ['Einsum', [[2, 2]], { equation: '...'.repeat(20_000) }],
  ['BatchNormalization', [[1, 8, 4, 4], [8], [16], [8], [8]]],
  ['BatchNormalization', [[], [3], [3], [3], [3]], { training_mode: 1 }],
  ['GroupNormalization', [[1, 4, 2], [4], [4]], { num_groups: 0 }],
  ['DequantizeLinear', [codes, [2]], { axis: 77 }],
  ['Loop', [int64([3]), null, [2]]],
  ['Scan', [[2]], { num_scan_inputs: BIG }],
  ['If', [tensor('bool', [], Uint8Array.of(1))]],
  ['Concat', [], { axis: 0 }],
  ['Add', [[2]]],
  ['Gemm', [[2], [3]]],
];

/** loss = sum(operator * x * w). */
function modelOf([opType, inputs, attributes = {}, outputs = 1]: (typeof CASES)[number]): Graph {
  const initializers: [Value, Tensor][] = [];
  const fed: Value[] = [];
  const values = inputs.map((input, i): Value | null => {
    if (!input) return null;
    const constant = 'data' in input;
    const value: Value = {
      name: `i${i}`,
      type: constant ? input.type : 'float32',
      shape: constant ? input.dims : input,
    };
    if (constant) initializers.push([value, input]);
    else fed.push(value);
    return value;
  });
  const node = (
    name: string,
    op: string,
    reads: (Value | null)[],
    writes: Value[],
    given: AttributeInits = {},
  ): Node => ({
    name,
    opType: op,
    domain: '',
    inputs: reads,
    outputs: writes,
    attributes: toAttributes(given),
  });
  const [x, w]: Value[] = ['x', 'w'].map((name) => ({ name, type: 'float32', shape: [1] }));
  const ys = Array.from({ length: outputs }, (_, i) => untyped(`y${i}`));
  const [scaled, product] = [untyped('scaled'), untyped('product')];
  const loss: Value = { name: 'loss', type: 'float32', shape: [] };
  const nodes = [
    node('bad', opType, values, ys, attributes),
    node('scale', 'Mul', [x!, w!], [scaled]),
    node('product', 'Mul', [ys[0]!, scaled], [product]),
    node('sum', 'ReduceSum', [product], [loss], { keepdims: 0 }),
  ];
  const graph = graphOf([...fed, x!], nodes, [loss], [...initializers, [w!, float32([1])]]);
  return { ...graph, opsets: new Map([['', 21]]) };
}

it.each(CASES)('%s, case %#: a result or a typed error, at once', (...one) => {
  const bytes = writeModel(modelOf(one));
  const asks: ((model: Graph) => unknown)[] = [
    (model) =>
      differentiateModel(model, { loss: 'loss', wrt: [...model.inputs.map(({ name }) => name), 'w'] }),
    (model) => compileModel(model, { objectives: [{ kind: 'output', output: 'loss' }] }),
  ];
  for (const ask of asks) {
    const start = performance.now();
    try {
      ask(readModel(bytes));
    } catch (error) {
      expect(error).toBeInstanceOf(LimbeckError);
    }
    expect(performance.now() - start).toBeLessThan(3000);
  }
});

it('survives flipped bits in what is differentiated', () => {
  const model = fc.constantFrom(...CASES.slice(0, 24).map((one) => writeModel(modelOf(one))));
  const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const flips = fc.array(fc.tuple(at, fc.nat(7)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(model, flips, (bytes, where) => {
      const damaged = Uint8Array.from(bytes);
      for (const [place, bit] of where) damaged[Math.floor(place * bytes.length)]! ^= 1 << bit;
      try {
        differentiateModel(readModel(damaged), { loss: 'loss' });
      } catch (error) {
        if (!(error instanceof LimbeckError)) throw error;
      }
    }),
    { numRuns: 500, seed: 11 },
  );
});

it('folds no more constants than a model has', () => {
  const size: Value = { name: 'size', type: 'int64', shape: [1] };
  const loss: Value = { name: 'loss', type: 'float32', shape: [] };
  const w: Value = { name: 'w', type: 'float32', shape: [4] };
  const constants = Array.from(
    { length: 4000 },
    (_, i): Node => ({
      name: `k${i}`,
      opType: 'ConstantOfShape',
      domain: '',
      inputs: [size],
      outputs: [untyped(`k${i}`)],
      attributes: new Map(),
    }),
  );
  const sum: Node = {
    name: 'sum',
    opType: 'ReduceSum',
    domain: '',
    inputs: [w],
    outputs: [loss],
    attributes: toAttributes({ keepdims: 0 }),
  };
  const graph = graphOf(
    [],
    [...constants, sum],
    [loss],
    [
      [size, int64([65_536])],
      [w, float32([1, 2, 3, 4])],
    ],
  );
  const before = process.memoryUsage().arrayBuffers;
  differentiateModel({ ...graph, opsets: new Map([['', 18]]) }, { loss: 'loss' });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(300e6);
});
