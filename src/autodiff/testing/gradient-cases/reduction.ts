import type { GraphBuilder } from '../../../onnx/graph-builder.ts';
import { apart, type Build, type GradientCase, within, x } from './case.ts';

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
    [
      'ReduceProd',
      form,
      { inputs: [within(0.5, 1.5, 2, 3, 2)], build: build('ReduceProd'), type: 'float32' },
    ],
    ['ReduceL1', form, { inputs: [apart(0.2, 2, 2, 2)], build: build('ReduceL1'), type: 'float32' }],
    ['ReduceL2', form, { inputs: [x(2, 3, 4)], build: build('ReduceL2'), type: 'float32' }],
    ['ReduceSumSquare', form, { inputs: [x(2, 3, 4)], build: build('ReduceSumSquare') }],
    [
      'ReduceLogSum',
      form,
      { inputs: [within(0.5, 1.5, 2, 3, 4)], build: build('ReduceLogSum'), type: 'float32' },
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
      type: 'float32',
    },
  ],
  [
    'LayerNormalization',
    'without bias, two axes, its statistics used',
    {
      inputs: [x(2, 3, 4), x(3, 4)],
      build: (g, [a, s]) => g.node('LayerNormalization', [a, s], { axis: 1 }, { outputs: 3 }),
      type: 'float32',
    },
  ],
];

export const REDUCTION_CASES: GradientCase[] = [...reductions, ...normalizations];
