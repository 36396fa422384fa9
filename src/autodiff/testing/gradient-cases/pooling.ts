import { apart, type GradientCase, named, of, squared, within, x } from './case.ts';

type Attributes = Parameters<typeof of>[1];
type Form = [form: string, input: number[], attributes: Attributes];

const WINDOWS: Form[] = [
  ['2x2, stride 2', [2, 3, 4, 6], { kernel_shape: [2, 2], strides: [2, 2] }],
  ['overlapping, pads', [1, 2, 5, 6], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['a rest is left out', [1, 2, 6, 5], { kernel_shape: [3, 2], strides: [2, 2] }],
  ['the last window hangs over', [1, 2, 6, 5], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }],
  ['one axis', [2, 2, 7], { kernel_shape: [3], strides: [2] }],
  ['three axes', [1, 2, 3, 4, 5], { kernel_shape: [2, 2, 2], strides: [1, 2, 1] }],
  ['auto_pad', [1, 2, 5, 4], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
];

/** Pools of ONNX Runtime take float32. */
export const POOLING_CASES: GradientCase[] = [
  ...WINDOWS.flatMap(([form, input, attributes]): GradientCase[] => [
    [
      'MaxPool',
      form,
      {
        inputs: [apart(0.2, ...input)],
        build: squared(of('MaxPool', attributes)),
        type: 'float32',
        step: 5e-3,
      },
    ],
    [
      'AveragePool',
      form,
      {
        inputs: [named([0, 1], x(...input))],
        build: squared(of('AveragePool', attributes)),
        type: 'float32',
      },
    ],
  ]),
  [
    'AveragePool',
    'padding counts',
    {
      inputs: [named([0, 1], x(1, 2, 5, 5))],
      build: squared(of('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 })),
      type: 'float32',
    },
  ],
  [
    'GlobalAveragePool',
    '',
    { inputs: [x(2, 3, 4, 5)], build: squared(of('GlobalAveragePool')), type: 'float32' },
  ],
  [
    'GlobalMaxPool',
    '',
    { inputs: [apart(0.2, 1, 2, 2, 2)], build: squared(of('GlobalMaxPool')), type: 'float32', step: 5e-3 },
  ],
  [
    'GlobalLpPool',
    '',
    { inputs: [within(0.5, 1.5, 2, 2, 3, 2)], build: squared(of('GlobalLpPool')), type: 'float32' },
  ],
  [
    'LpPool',
    '',
    {
      inputs: [named([0, 1], within(0.5, 1.5, 1, 2, 4, 5))],
      build: squared(of('LpPool', { kernel_shape: [2, 2], strides: [1, 2] })),
      type: 'float32',
    },
  ],
];
