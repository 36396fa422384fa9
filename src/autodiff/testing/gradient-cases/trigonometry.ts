import { type GradientCase, of, within, x } from './case.ts';

/** ONNX Runtime has these functions of float32 alone. */
const over = (operator: string, low: number, high: number): GradientCase => [
  operator,
  '',
  { inputs: [within(low, high, 2, 3)], build: of(operator), type: 'float32', step: 5e-3 },
];

export const TRIGONOMETRY_CASES: GradientCase[] = [
  ['Sin', '', { inputs: [x(2, 3)], build: of('Sin'), type: 'float32' }],
  ['Cos', '', { inputs: [x(2, 3)], build: of('Cos'), type: 'float32' }],
  over('Tan', -1, 1),
  over('Asin', -0.7, 0.7),
  over('Acos', -0.7, 0.7),
  over('Atan', -2, 2),
  over('Sinh', -1, 1),
  over('Cosh', -1, 1),
  over('Asinh', -2, 2),
  over('Acosh', 1.5, 3),
  over('Atanh', -0.7, 0.7),
];
