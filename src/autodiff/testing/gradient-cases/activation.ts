import { float } from '../../../onnx/attributes.ts';
import { apart, type GradientCase, of, x } from './case.ts';

export const ACTIVATION_CASES: GradientCase[] = [
  ['Relu', '', { inputs: [apart(0.2, 2, 5)], build: of('Relu') }],
  [
    'LeakyRelu',
    '',
    { inputs: [apart(0.2, 2, 5)], build: of('LeakyRelu', { alpha: float(0.1) }), type: 'float32' },
  ],
  ['PRelu', '', { inputs: [apart(0.2, 2, 5), x(5)], build: of('PRelu'), type: 'float32' }],
  ['Selu', '', { inputs: [apart(0.2, 2, 5)], build: of('Selu'), type: 'float32' }],
  ['Celu', '', { inputs: [apart(0.2, 2, 5)], build: of('Celu', { alpha: float(1.5) }), type: 'float32' }],
  [
    'ThresholdedRelu',
    '',
    { inputs: [apart(0.2, 2, 5)], build: of('ThresholdedRelu', { alpha: float(0.5) }), type: 'float32' },
  ],
  [
    'Shrink',
    '',
    {
      inputs: [apart(0.2, 2, 5)],
      build: of('Shrink', { lambd: float(0.7), bias: float(0.2) }),
      type: 'float32',
    },
  ],
  ['Elu', '', { inputs: [apart(0.2, 2, 5)], build: of('Elu', { alpha: float(1.5) }), type: 'float32' }],
  ['Sigmoid', '', { inputs: [x(2, 5)], build: of('Sigmoid') }],
  ['Tanh', '', { inputs: [x(2, 5)], build: of('Tanh') }],
  ['Erf', '', { inputs: [x(2, 5)], build: of('Erf'), type: 'float32' }],
  ['Gelu', 'exact', { inputs: [x(2, 5)], build: of('Gelu'), type: 'float32' }],
  ['Gelu', 'tanh', { inputs: [x(2, 5)], build: of('Gelu', { approximate: 'tanh' }), type: 'float32' }],
  ['com.microsoft::Gelu', '', { inputs: [x(2, 5)], build: of('Gelu', {}, 'com.microsoft'), type: 'float32' }],
  [
    'com.microsoft::FastGelu',
    '',
    { inputs: [x(2, 5)], build: of('FastGelu', {}, 'com.microsoft'), type: 'float32' },
  ],
  [
    'com.microsoft::FastGelu',
    'with bias',
    { inputs: [x(2, 5), x(5)], build: of('FastGelu', {}, 'com.microsoft'), type: 'float32' },
  ],
  [
    'com.microsoft::BiasGelu',
    '',
    { inputs: [x(2, 5), x(5)], build: of('BiasGelu', {}, 'com.microsoft'), type: 'float32' },
  ],
  [
    'com.microsoft::QuickGelu',
    '',
    { inputs: [x(2, 5)], build: of('QuickGelu', {}, 'com.microsoft'), type: 'float32' },
  ],
  ['Mish', '', { inputs: [x(2, 5)], build: of('Mish'), type: 'float32' }],
  ['Softplus', '', { inputs: [x(2, 5)], build: of('Softplus'), type: 'float32' }],
  ['Softsign', '', { inputs: [apart(0.2, 2, 5)], build: of('Softsign'), type: 'float32' }],
  ['HardSigmoid', '', { inputs: [apart(0.9, 2, 5)], build: of('HardSigmoid'), type: 'float32' }],
  ['HardSwish', '', { inputs: [apart(0.55, 2, 5)], build: of('HardSwish'), type: 'float32' }],
];
