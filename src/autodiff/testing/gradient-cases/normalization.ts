import { float } from '../../../onnx/attributes.ts';
import type { TypedValue } from '../../../onnx/graph.ts';
import { type Build, type GradientCase, named, of, squared, within, x } from './case.ts';

const statistics = [within(0.5, 1.5, 3), x(3), x(3), within(0.5, 1.5, 3)];
/** The running statistics that come out have no gradient. */
const training: Build = (g, inputs) => {
  const attributes = { training_mode: 1, epsilon: float(0.1) };
  return g.node('BatchNormalization', inputs as TypedValue[], attributes, { outputs: 3 })[0];
};

export const NORMALIZATION_CASES: GradientCase[] = [
  ...[
    [4, 3],
    [2, 3, 4],
    [2, 3, 2, 4],
  ].flatMap((shape): GradientCase[] => [
    [
      'BatchNormalization',
      `given statistics, ${shape.length} axes`,
      { inputs: [x(...shape), ...statistics], build: squared(of('BatchNormalization')), type: 'float32' },
    ],
    [
      'BatchNormalization',
      `the statistics of the batch, ${shape.length} axes`,
      { inputs: [x(...shape), ...statistics], build: squared(training), type: 'float32' },
    ],
  ]),
  [
    'InstanceNormalization',
    '',
    { inputs: [x(2, 3, 4, 2), x(3), x(3)], build: squared(of('InstanceNormalization')), type: 'float32' },
  ],
  [
    'GroupNormalization',
    'scale per group (opset 18)',
    {
      inputs: [x(2, 4, 3, 2), x(2), x(2)],
      build: squared(of('GroupNormalization', { num_groups: 2 })),
      type: 'float32',
    },
  ],
  [
    'LpNormalization',
    'length 2',
    { inputs: [x(2, 3, 4)], build: squared(of('LpNormalization', { axis: 1 })), type: 'float32' },
  ],
  [
    'LpNormalization',
    'length 1',
    { inputs: [within(0.5, 1.5, 2, 3)], build: squared(of('LpNormalization', { p: 1 })), type: 'float32' },
  ],
  [
    'MeanVarianceNormalization',
    '',
    { inputs: [x(2, 3, 2, 2)], build: squared(of('MeanVarianceNormalization')), type: 'float32' },
  ],
  [
    'LRN',
    '',
    {
      inputs: [named([0], x(2, 5, 2, 3))],
      build: squared(of('LRN', { size: 3, alpha: float(0.5), bias: float(1) })),
      type: 'float32',
    },
  ],
];
