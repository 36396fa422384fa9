import { float } from '../../onnx/attributes.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { RandomStream } from '../../random.ts';
import type { GradientCheck, TestInput } from './check-gradients.ts';

/** Operator, form, and the function whose gradient is compared with differences. */
export type GradientCase = [operator: string, form: string, check: GradientCheck];

const x = (...shape: number[]): TestInput => ({ shape });
/** Elements in [low, high). */
const within = (low: number, high: number, ...shape: number[]): TestInput => ({
  shape,
  draw: (random) => low + (high - low) * random.uniform(),
});
/** Elements at least `gap` away from every kink and from each other: permuted multiples of 2 gap, off by gap. */
const apart = (gap: number, ...shape: number[]): TestInput => ({
  shape,
  draw: (random: RandomStream, index) => gap * (2 * ((index * 7) % 11) - 10 + 1 + 0.2 * random.uniform()),
});

type Build = GradientCheck['build'];
const of =
  (opType: string, attributes: Parameters<GraphBuilder['op']>[2] = {}, domain = ''): Build =>
  (g, inputs) =>
    g.op(opType, inputs, attributes, { domain });

/** A function after the operator, so that its second derivative is not just zero. */
const squared =
  (build: Build): Build =>
  (g, inputs, type) => {
    const y = build(g, inputs, type) as TypedValue;
    return g.mul(y, y);
  };

const unary: GradientCase[] = [
  ['Neg', '', { inputs: [x(2, 3)], build: of('Neg') }],
  ['Abs', '', { inputs: [apart(0.2, 2, 3)], build: of('Abs') }],
  ['Exp', '', { inputs: [x(2, 3)], build: of('Exp') }],
  ['Log', '', { inputs: [within(0.5, 2, 2, 3)], build: of('Log') }],
  ['Sqrt', '', { inputs: [within(0.5, 2, 2, 3)], build: of('Sqrt') }],
  ['Reciprocal', '', { inputs: [within(0.5, 2, 2, 3)], build: of('Reciprocal') }],
  ['Sin', '', { inputs: [x(2, 3)], build: of('Sin'), type: 'float32' }],
  ['Cos', '', { inputs: [x(2, 3)], build: of('Cos'), type: 'float32' }],
  ['Identity', '', { inputs: [x(2, 3)], build: of('Identity') }],
  ['Dropout', 'inference', { inputs: [x(2, 3)], build: of('Dropout') }],
  ['Sign', '', { inputs: [apart(0.2, 5)], build: of('Sign') }],
  ['Floor', '', { inputs: [within(0.2, 0.8, 5)], build: of('Floor') }],
  ['Ceil', '', { inputs: [within(0.2, 0.8, 5)], build: of('Ceil') }],
  ['Round', '', { inputs: [within(0.6, 1.4, 5)], build: of('Round') }],
  [
    'Cast',
    'to double and back',
    {
      inputs: [x(4)],
      build: (g, [a]) => g.cast(g.mul(g.cast(a, 'float64'), g.cast(a, 'float64')), 'float32'),
      type: 'float32',
    },
  ],
];

const binaryShapes: [string, number[], number[]][] = [
  ['same shape', [2, 3], [2, 3]],
  ['row', [2, 3], [3]],
  ['both', [2, 1, 3], [4, 1]],
  ['scalar', [], [2, 3]],
];
const binary: GradientCase[] = binaryShapes.flatMap(([form, a, b]): GradientCase[] => [
  ['Add', form, { inputs: [x(...a), x(...b)], build: of('Add') }],
  ['Sub', form, { inputs: [x(...a), x(...b)], build: of('Sub') }],
  ['Mul', form, { inputs: [x(...a), x(...b)], build: of('Mul') }],
  ['Div', form, { inputs: [x(...a), within(0.5, 2, ...b)], build: of('Div') }],
  ['Pow', form, { inputs: [within(0.5, 2, ...a), x(...b)], build: of('Pow') }],
  ['Min', form, { inputs: [apart(0.2, ...a), apart(0.31, ...b)], build: of('Min') }],
  ['Max', form, { inputs: [apart(0.2, ...a), apart(0.31, ...b)], build: of('Max') }],
  ['Sum', form, { inputs: [x(...a), x(...b), x(...a)], build: of('Sum') }],
  ['Mean', form, { inputs: [x(...a), x(...b), x(3)], build: of('Mean'), type: 'float32' }],
  [
    'Where',
    form,
    { inputs: [x(...a), x(...b), apart(0.2, 3)], build: (g, [p, q, c]) => g.where(g.greater(c, 0), p, q) },
  ],
]);

const elementwise: GradientCase[] = [
  ['Mul', 'by itself', { inputs: [x(3)], build: (g, [a]) => g.mul(a, a) }],
  ['Add', 'wide bias', { inputs: [x(2, 3, 9), x(1, 9)], build: of('Add') }],
  ['Mul', 'wide scale', { inputs: [x(2, 3, 9), x(9)], build: of('Mul') }],
  ['Add', 'to itself', { inputs: [x(3)], build: (g, [a]) => g.add(a, a) }],
  ...[-1, 0, 0.5, 1, 2, 3, 2.7].map(
    (p): GradientCase => [
      'Pow',
      `exponent ${p}`,
      { inputs: [within(0.5, 2, 4)], build: (g, [a]) => g.pow(a, p) },
    ],
  ),
  ['Max', 'of three', { inputs: [apart(0.2, 4), apart(0.31, 4), apart(0.17, 1)], build: of('Max') }],
  ['Clip', '', { inputs: [apart(0.2, 9)], build: (g, [a]) => g.clip(a, -0.9, 0.9) }],
  ['Clip', 'one side', { inputs: [apart(0.2, 9)], build: (g, [a]) => g.clip(a, null, 0.9) }],
  [
    'Clip',
    'trained bounds',
    { inputs: [apart(0.2, 9), within(-1, -0.9), within(0.9, 1)], build: of('Clip') },
  ],
];

const float32 = 'float32' as const;
const activations: GradientCase[] = [
  ['Relu', '', { inputs: [apart(0.2, 2, 5)], build: of('Relu') }],
  [
    'LeakyRelu',
    '',
    { inputs: [apart(0.2, 2, 5)], build: of('LeakyRelu', { alpha: float(0.1) }), type: float32 },
  ],
  ['PRelu', '', { inputs: [apart(0.2, 2, 5), x(5)], build: of('PRelu'), type: float32 }],
  ['Elu', '', { inputs: [apart(0.2, 2, 5)], build: of('Elu', { alpha: float(1.5) }), type: float32 }],
  ['Sigmoid', '', { inputs: [x(2, 5)], build: of('Sigmoid') }],
  ['Tanh', '', { inputs: [x(2, 5)], build: of('Tanh') }],
  ['Erf', '', { inputs: [x(2, 5)], build: of('Erf'), type: float32 }],
  ['Gelu', 'exact', { inputs: [x(2, 5)], build: of('Gelu'), type: float32 }],
  ['Gelu', 'tanh', { inputs: [x(2, 5)], build: of('Gelu', { approximate: 'tanh' }), type: float32 }],
  ['com.microsoft::Gelu', '', { inputs: [x(2, 5)], build: of('Gelu', {}, 'com.microsoft'), type: float32 }],
  [
    'com.microsoft::FastGelu',
    '',
    { inputs: [x(2, 5)], build: of('FastGelu', {}, 'com.microsoft'), type: float32 },
  ],
  [
    'com.microsoft::FastGelu',
    'with bias',
    { inputs: [x(2, 5), x(5)], build: of('FastGelu', {}, 'com.microsoft'), type: float32 },
  ],
  [
    'com.microsoft::BiasGelu',
    '',
    { inputs: [x(2, 5), x(5)], build: of('BiasGelu', {}, 'com.microsoft'), type: float32 },
  ],
  [
    'com.microsoft::QuickGelu',
    '',
    { inputs: [x(2, 5)], build: of('QuickGelu', {}, 'com.microsoft'), type: float32 },
  ],
  ['Mish', '', { inputs: [x(2, 5)], build: of('Mish'), type: float32 }],
  ['Softplus', '', { inputs: [x(2, 5)], build: of('Softplus'), type: float32 }],
  ['Softsign', '', { inputs: [apart(0.2, 2, 5)], build: of('Softsign'), type: float32 }],
  ['HardSigmoid', '', { inputs: [apart(0.9, 2, 5)], build: of('HardSigmoid'), type: float32 }],
  ['HardSwish', '', { inputs: [apart(0.55, 2, 5)], build: of('HardSwish'), type: float32 }],
];

const reductionForms: [string, Parameters<GraphBuilder['reduceSum']>[1]][] = [
  ['all, kept', {}],
  ['all, dropped', { keepDims: false }],
  ['last', { axes: [-1], keepDims: false }],
  ['middle and first', { axes: [1, 0], keepDims: true }],
];
const reductions: GradientCase[] = reductionForms.flatMap(([form, options]): GradientCase[] => {
  const build =
    (opType: string): Build =>
    (g, [a]) =>
      g.op(opType, [a, options?.axes ? g.ints(options.axes) : null], {
        keepdims: options?.keepDims === false ? 0 : 1,
      });
  return [
    ['ReduceSum', form, { inputs: [x(2, 3, 4)], build: build('ReduceSum') }],
    ['ReduceMean', form, { inputs: [x(2, 3, 4)], build: build('ReduceMean') }],
    ['ReduceMax', form, { inputs: [apart(0.2, 2, 2, 2)], build: build('ReduceMax') }],
    ['ReduceMin', form, { inputs: [apart(0.2, 2, 2, 2)], build: build('ReduceMin') }],
    ['ReduceProd', form, { inputs: [within(0.5, 1.5, 2, 3, 2)], build: build('ReduceProd'), type: float32 }],
    ['ReduceL1', form, { inputs: [apart(0.2, 2, 2, 2)], build: build('ReduceL1'), type: float32 }],
    ['ReduceL2', form, { inputs: [x(2, 3, 4)], build: build('ReduceL2'), type: float32 }],
    ['ReduceSumSquare', form, { inputs: [x(2, 3, 4)], build: build('ReduceSumSquare') }],
    [
      'ReduceLogSum',
      form,
      { inputs: [within(0.5, 1.5, 2, 3, 4)], build: build('ReduceLogSum'), type: float32 },
    ],
    ['ReduceLogSumExp', form, { inputs: [x(2, 3, 4)], build: build('ReduceLogSumExp') }],
  ];
});

const normalizations: GradientCase[] = [
  ...[-1, 1, 0].flatMap((axis): GradientCase[] => [
    ['Softmax', `axis ${axis}`, { inputs: [x(2, 3, 4)], build: (g, [a]) => g.softmax(a, axis) }],
    ['LogSoftmax', `axis ${axis}`, { inputs: [x(2, 3, 4)], build: (g, [a]) => g.logSoftmax(a, axis) }],
  ]),
  [
    'LayerNormalization',
    '',
    {
      inputs: [x(2, 3, 4), x(4), x(4)],
      build: (g, [a, s, b]) => g.layerNormalization(a, s, b),
      type: float32,
    },
  ],
  [
    'LayerNormalization',
    'without bias, two axes, its statistics used',
    {
      inputs: [x(2, 3, 4), x(3, 4)],
      build: (g, [a, s]) => g.node('LayerNormalization', [a, s], { axis: 1 }, { outputs: 3 }),
      type: float32,
    },
  ],
];

const productShapes: [string, number[], number[]][] = [
  ['matrices', [2, 3], [3, 4]],
  ['batch x matrix', [2, 5, 3], [3, 4]],
  ['batch x matrix of one', [2, 5, 3], [1, 3, 4]],
  ['batches', [2, 5, 3], [2, 3, 4]],
  ['broadcast batches', [2, 1, 5, 3], [4, 3, 2]],
  ['matrix x batch', [5, 3], [2, 3, 4]],
  ['vectors', [3], [3]],
  ['vector x matrix', [3], [3, 4]],
  ['vector x batch', [3], [2, 3, 4]],
  ['matrix x vector', [2, 3], [3]],
  ['batch x vector', [2, 4, 3], [3]],
  ['more leading ones', [5, 3], [1, 3, 4]],
];
const products: GradientCase[] = [
  ...productShapes.map(
    ([form, a, b]): GradientCase => ['MatMul', form, { inputs: [x(...a), x(...b)], build: of('MatMul') }],
  ),
  ...[
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ].flatMap(([transA, transB]): GradientCase[] => {
    const a = transA ? [3, 5] : [5, 3];
    const b = transB ? [4, 3] : [3, 4];
    const attributes = { transA, transB, alpha: float(0.5), beta: float(2) };
    return [
      [
        'Gemm',
        `${transA}${transB}, row bias`,
        { inputs: [x(...a), x(...b), x(4)], build: of('Gemm', attributes) },
      ],
      [
        'Gemm',
        `${transA}${transB}, column bias`,
        { inputs: [x(...a), x(...b), x(5, 1)], build: of('Gemm', attributes) },
      ],
      [
        'com.microsoft::FusedMatMul',
        `${transA}${transB}, batches`,
        {
          inputs: [x(2, ...a), x(2, ...b)],
          build: of('FusedMatMul', { transA, transB, alpha: float(0.5) }, 'com.microsoft'),
          type: float32,
        },
      ],
      [
        'com.microsoft::FusedMatMul',
        `${transA}${transB}, batch x matrix`,
        {
          inputs: [x(2, ...a), x(...b)],
          build: of('FusedMatMul', { transA, transB, alpha: float(0.5) }, 'com.microsoft'),
          type: float32,
        },
      ],
    ];
  }),
  ...(
    [
      ['bhqd,bhkd->bhqk', [x(2, 2, 3, 4), x(2, 2, 5, 4)]],
      ['ij,jk', [x(2, 3), x(3, 4)]],
      ['ij,jk->k', [x(2, 3), x(3, 4)]],
      ['i,j,ij->j', [x(2), x(3), x(2, 3)]],
      ['ij->ji', [x(2, 3)]],
    ] as [string, TestInput[]][]
  ).map(
    ([equation, inputs]): GradientCase => [
      'Einsum',
      equation,
      { inputs, build: squared(of('Einsum', { equation })) },
    ],
  ),
  ['Gemm', 'no bias', { inputs: [x(2, 3), x(3, 4)], build: of('Gemm') }],
  ['Gemm', 'scalar bias', { inputs: [x(2, 3), x(3, 4), x()], build: of('Gemm') }],
];

const movements: GradientCase[] = (
  [
    ['Transpose', 'default', [x(2, 3, 4)], of('Transpose')],
    ['Transpose', '', [x(2, 3, 4)], (g, [a]) => g.transpose(a, [1, 2, 0])],
    ['Reshape', '', [x(2, 3, 4)], (g, [a]) => g.reshape(a, [0, -1])],
    ['Flatten', '', [x(2, 3, 4)], of('Flatten', { axis: 2 })],
    ['Squeeze', '', [x(2, 1, 3)], (g, [a]) => g.squeeze(a, [-2])],
    ['Unsqueeze', '', [x(2, 3)], (g, [a]) => g.unsqueeze(a, [0, -1])],
    ['Concat', '', [x(2, 3), x(2, 1), x(2, 2)], (g, all) => g.concat(all, -1)],
    [
      'Concat',
      'one trained',
      [x(2, 3)],
      (g, [a]) => g.concat([g.fill([2, 2], 1, a.type as 'float32'), a], 1),
    ],
    [
      'Split',
      'one output used',
      [x(2, 5)],
      (g, [a]) => g.node('Split', [a, g.ints([2, 3])], { axis: 1 }, { outputs: 2 })[1],
    ],
    [
      'Split',
      'all used',
      [x(2, 5)],
      (g, [a]) => {
        const [p, q] = g.node('Split', [a, g.ints([2, 3])], { axis: -1 }, { outputs: 2 });
        return g.matMul(p, g.slice(g.transpose(q, [1, 0]), 0, 0, 2));
      },
    ],
    ['Slice', '', [x(4, 6)], (g, [a]) => g.slice(a, -1, 1, -2)],
    ['Slice', 'step 2', [x(4, 6)], (g, [a]) => g.slice(a, 1, 1, 100, 2)],
    ['Slice', 'step -1', [x(4, 6)], (g, [a]) => g.slice(a, 0, -1, -100, -1)],
    ['Slice', 'step -3', [x(2, 8)], (g, [a]) => g.slice(a, 1, 6, 0, -3)],
    [
      'Slice',
      'two axes',
      [x(4, 6, 2)],
      (g, [a]) => g.op('Slice', [a, g.ints([3, 1]), g.ints([-100, 6]), g.ints([0, 1]), g.ints([-2, 2])]),
    ],
    ['Pad', '', [x(2, 3)], (g, [a]) => g.pad(a, 1, 2, 1)],
    ['Pad', 'negative', [x(2, 5)], (g, [a]) => g.pad(a, 1, -2, 1)],
    ['Pad', 'trained constant', [x(2, 3), x()], (g, [a, c]) => g.op('Pad', [a, g.ints([1, 0, 0, 2]), c])],
    ['Expand', '', [x(2, 1, 3)], (g, [a]) => g.expand(a, [5, 1, 4, 3])],
    ['Tile', '', [x(2, 3, 1)], (g, [a]) => g.op('Tile', [a, g.ints([2, 1, 3])])],
    ['Tile', 'once', [x(2, 3)], (g, [a]) => g.op('Tile', [a, g.ints([1, 1])])],
    ['Trilu', 'lower', [x(3, 3)], of('Trilu', { upper: 0 })],
    ['CumSum', '', [x(2, 3)], (g, [a]) => g.op('CumSum', [a, g.scalar(1, 'int64')])],
    [
      'CumSum',
      'exclusive, reverse',
      [x(2, 3)],
      (g, [a]) => g.op('CumSum', [a, g.scalar(0, 'int64')], { exclusive: 1, reverse: 1 }),
    ],
  ] as [string, string, TestInput[], Build][]
).map(([operator, form, inputs, build]) => [operator, form, { inputs, build: squared(build) }]);

/** A constant of whole numbers of any shape. */
const ids = (g: GraphBuilder, values: number[], shape: number[]) => g.reshape(g.ints(values), shape);

const indexing: GradientCase[] = (
  [
    [
      'Gather',
      'rows, repeated, below zero',
      [x(5, 3)],
      (g, [a]) => g.gather(a, ids(g, [1, -1, 1, 0], [2, 2])),
    ],
    ['Gather', 'columns', [x(2, 5, 3)], (g, [a]) => g.gather(a, ids(g, [4, 0, 4], [3]), 1)],
    ['Gather', 'one position', [x(2, 5, 3)], (g, [a]) => g.gather(a, g.scalar(-2, 'int64'), 1)],
    ['Gather', 'one position, kept', [x(2, 5, 3)], (g, [a]) => g.gather(a, g.ints([1]), -2)],
    [
      'GatherElements',
      '',
      [x(2, 4)],
      (g, [a]) => g.gatherElements(a, ids(g, [0, 3, 3, -1, 2, 2], [2, 3]), -1),
    ],
    [
      'GatherND',
      'rows',
      [x(3, 4, 2)],
      (g, [a]) => g.op('GatherND', [a, ids(g, [1, 2, 1, 2, 0, -1], [3, 2])]),
    ],
    [
      'GatherND',
      'batch_dims',
      [x(2, 4, 3)],
      (g, [a]) => g.op('GatherND', [a, ids(g, [3, 1, 0, 3, 3, -4], [2, 3, 1])], { batch_dims: 1 }),
    ],
    ['ScatterND', 'none', [x(4, 2), x(2, 2)], (g, [a, u]) => g.scatterNd(a, ids(g, [3, 1], [2, 1]), u)],
    [
      'ScatterND',
      'add, repeated',
      [x(4, 2), x(3, 2)],
      (g, [a, u]) => g.scatterNd(a, ids(g, [3, 1, 3], [3, 1]), u, 'add'),
    ],
    [
      'ScatterElements',
      'none',
      [x(3, 4), x(3, 2)],
      (g, [a, u]) => g.scatterElements(a, ids(g, [0, 3, 2, 1, 1, 0], [3, 2]), u, { axis: 1 }),
    ],
    [
      'ScatterElements',
      'add, repeated',
      [x(3, 4), x(3, 2)],
      (g, [a, u]) =>
        g.scatterElements(a, ids(g, [0, 0, 2, 2, 1, 0], [3, 2]), u, { axis: 1, reduction: 'add' }),
    ],
    [
      'TopK',
      'values',
      [apart(0.2, 2, 5)],
      (g, [a]) => g.node('TopK', [a, g.ints([2])], { axis: -1 }, { outputs: 2 })[0],
    ],
  ] as [string, string, TestInput[], Build][]
).map(([operator, form, inputs, build]) => [operator, form, { inputs, build: squared(build) }]);

export const GRADIENT_CASES: GradientCase[] = [
  ...unary,
  ...binary,
  ...elementwise,
  ...activations,
  ...reductions,
  ...normalizations,
  ...products,
  ...movements,
  ...indexing,
];
