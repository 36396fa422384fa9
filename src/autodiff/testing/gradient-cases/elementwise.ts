import { float } from '../../../onnx/attributes.ts';
import { apart, type GradientCase, of, within, x } from './case.ts';

const unary: GradientCase[] = [
  ['Neg', '', { inputs: [x(2, 3)], build: of('Neg') }],
  ['Abs', '', { inputs: [apart(0.2, 2, 3)], build: of('Abs') }],
  ['Exp', '', { inputs: [x(2, 3)], build: of('Exp') }],
  ['Log', '', { inputs: [within(0.5, 2, 2, 3)], build: of('Log') }],
  ['Sqrt', '', { inputs: [within(0.5, 2, 2, 3)], build: of('Sqrt') }],
  ['Reciprocal', '', { inputs: [within(0.5, 2, 2, 3)], build: of('Reciprocal') }],
  ['Identity', '', { inputs: [x(2, 3)], build: of('Identity') }],
  ['Dropout', 'inference', { inputs: [x(2, 3)], build: of('Dropout') }],
  [
    'Bernoulli',
    '',
    { inputs: [within(0, 0.001, 2, 3)], build: of('Bernoulli', { seed: float(1) }), type: 'float32' },
  ],
  [
    'RandomNormalLike',
    '',
    { inputs: [x(2, 3)], build: (g, [a]) => g.mul(g.op('RandomNormalLike', [a!]), 0), type: 'float32' },
  ],
  [
    'RandomUniformLike',
    '',
    { inputs: [x(2, 3)], build: (g, [a]) => g.mul(g.op('RandomUniformLike', [a!]), 0), type: 'float32' },
  ],
  ['Mod', 'fmod', { inputs: [apart(0.2, 2, 3), within(3.1, 3.4, 3)], build: of('Mod', { fmod: 1 }) }],
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

export const ELEMENTWISE_CASES: GradientCase[] = [...unary, ...binary, ...elementwise];
