import { type GradientCase, named, of, squared, within, x } from './case.ts';

interface Form {
  readonly form: string;
  readonly input: number[];
  readonly weights: number[];
  readonly attributes?: Parameters<typeof of>[1];
  readonly bias?: boolean;
  /** 1: also with pixels whose number is a name; then the second gradient would have such a kernel. */
  readonly order?: 1;
}

const CONV: Form[] = [
  {
    form: 'stride 2 with a rest, groups, first order',
    input: [2, 4, 6, 5],
    weights: [6, 2, 3, 3],
    attributes: { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] },
    bias: true,
    order: 1,
  },
  { form: 'one axis, first order', input: [2, 3, 7], weights: [4, 3, 3], order: 1 },
  {
    form: '3x3, bias',
    input: [2, 3, 5, 4],
    weights: [4, 3, 3, 3],
    attributes: { pads: [1, 1, 1, 1] },
    bias: true,
  },
  { form: '1x1', input: [2, 3, 4, 4], weights: [5, 3, 1, 1] },
  { form: '1x1, stride 2', input: [2, 3, 5, 4], weights: [4, 3, 1, 1], attributes: { strides: [2, 2] } },
  {
    form: '3x3, stride 2 with a rest',
    input: [2, 3, 6, 5],
    weights: [4, 3, 3, 3],
    attributes: { strides: [2, 2] },
  },
  {
    form: 'stride 3 larger than the kernel',
    input: [2, 2, 8, 7],
    weights: [3, 2, 2, 2],
    attributes: { strides: [3, 3] },
  },
  {
    form: 'asymmetric pads, strides and dilations',
    input: [2, 2, 7, 6],
    weights: [3, 2, 3, 2],
    attributes: { pads: [2, 0, 1, 3], strides: [1, 2], dilations: [2, 1] },
  },
  {
    form: 'pads beyond the kernel',
    input: [1, 2, 4, 4],
    weights: [2, 2, 2, 2],
    attributes: { pads: [2, 3, 2, 3] },
  },
  {
    form: 'auto_pad SAME_UPPER',
    input: [2, 2, 5, 6],
    weights: [3, 2, 3, 3],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  },
  {
    form: 'auto_pad SAME_LOWER',
    input: [2, 2, 5, 6],
    weights: [3, 2, 2, 2],
    attributes: { auto_pad: 'SAME_LOWER' },
  },
  {
    form: 'groups',
    input: [2, 4, 5, 5],
    weights: [6, 2, 3, 3],
    attributes: { group: 2, pads: [1, 1, 1, 1] },
  },
  {
    form: 'groups, stride 2',
    input: [2, 4, 6, 5],
    weights: [6, 2, 3, 3],
    attributes: { group: 2, strides: [2, 2] },
  },
  {
    form: 'depthwise',
    input: [2, 4, 5, 5],
    weights: [4, 1, 3, 3],
    attributes: { group: 4, pads: [1, 1, 1, 1] },
  },
  {
    form: 'depthwise, stride 2 with a rest',
    input: [2, 3, 6, 7],
    weights: [3, 1, 3, 3],
    attributes: { group: 3, strides: [2, 2], pads: [0, 1, 0, 1] },
  },
  { form: 'depthwise, multiplier 2', input: [2, 3, 5, 5], weights: [6, 1, 3, 3], attributes: { group: 3 } },
  {
    form: 'one axis',
    input: [2, 3, 7],
    weights: [4, 3, 3],
    attributes: { strides: [2], pads: [1, 1] },
    bias: true,
  },
  {
    form: 'three axes',
    input: [1, 2, 3, 4, 3],
    weights: [2, 2, 2, 3, 2],
    attributes: { pads: [1, 1, 0, 0, 1, 1] },
  },
];

/** Shapes for which weights have gradients in other formulations. */
const FORMULATIONS: Form[] = [
  {
    form: '3x3, 16 channels, stride 2 with a rest',
    input: [2, 16, 6, 5],
    weights: [2, 16, 3, 2],
    attributes: { strides: [2, 1], dilations: [1, 2], pads: [1, 0, 0, 2] },
  },
  { form: '1x1, two pixels', input: [3, 6, 1, 2], weights: [5, 6, 1, 1] },
  { form: 'five channels', input: [2, 5, 4, 5], weights: [3, 5, 3, 2], attributes: { pads: [1, 0, 1, 1] } },
];

const TRANSPOSED: Form[] = [
  {
    form: 'stride 2, first order',
    input: [2, 4, 3, 4],
    weights: [4, 3, 3, 3],
    attributes: { strides: [2, 2], pads: [1, 0, 1, 0], group: 2 },
    order: 1,
  },
  {
    form: '3x3, bias',
    input: [2, 3, 4, 3],
    weights: [3, 2, 3, 3],
    attributes: { pads: [1, 1, 1, 1] },
    bias: true,
  },
  { form: '2x2, stride 2', input: [2, 3, 3, 3], weights: [3, 2, 2, 2], attributes: { strides: [2, 2] } },
  {
    form: 'output padding',
    input: [2, 3, 3, 3],
    weights: [3, 2, 3, 3],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  },
  {
    form: 'output shape',
    input: [1, 2, 3, 3],
    weights: [2, 2, 3, 3],
    attributes: { strides: [2, 2], output_shape: [6, 6] },
  },
  {
    form: 'output shape beyond the kernel',
    input: [1, 2, 3, 3],
    weights: [2, 2, 3, 3],
    attributes: { strides: [3, 2], output_shape: [10, 8] },
  },
  {
    form: 'groups and dilations',
    input: [2, 4, 3, 4],
    weights: [4, 3, 2, 2],
    attributes: { group: 2, dilations: [2, 1] },
  },
  { form: 'one axis', input: [2, 3, 4], weights: [3, 2, 4], attributes: { strides: [2], pads: [1, 1] } },
];

/** ONNX Runtime has convolutions of float32 alone. */
const cases = (operator: string, forms: readonly Form[]): GradientCase[] =>
  forms.map(({ form, input, weights, attributes, bias, order }) => {
    const free = order === 1 ? [0, ...input.map((_, axis) => axis).slice(2)] : [0];
    const outputs = operator === 'Conv' ? weights[0] : weights[1] * Number(attributes?.group ?? 1);
    const inputs = [named(free, x(...input)), named([], x(...weights)), ...(bias ? [x(outputs)] : [])];
    return [operator, form, { inputs, build: squared(of(operator, attributes)), type: 'float32', order }];
  });

const FUSED: [activation: string, params: number[]][] = [
  ['Relu', []],
  ['LeakyRelu', [0.1]],
  ['Clip', [-20, 20]],
  ['HardSigmoid', [0.02, 0.5]],
  ['Sigmoid', []],
  ['Tanh', []],
];

/** Sums that lie far from the kinks: one input is large. */
const fusedCase = ([activation, params]: (typeof FUSED)[number]): GradientCase => [
  'com.microsoft::FusedConv',
  activation,
  {
    inputs: [
      named([0], x(1, 2, 4, 4)),
      named([], x(3, 2, 3, 3)),
      named([], x(3)),
      named([0], within(8, 9, 1, 3, 4, 4)),
    ],
    build: of(
      'FusedConv',
      {
        pads: [1, 1, 1, 1],
        activation,
        activation_params: { kind: 'floats', value: params },
      },
      'com.microsoft',
    ),
    type: 'float32',
    order: 1,
    step: 5e-3,
  },
];

export const CONVOLUTION_CASES: GradientCase[] = [
  ...FUSED.map(fusedCase),
  ...cases('Conv', CONV),
  ...cases('Conv', FORMULATIONS),
  ...cases('ConvTranspose', TRANSPOSED),
];
