import { tensor } from '../../../onnx/tensor.ts';
import { type Build, type GradientCase, within, x } from './case.ts';

const codes = tensor('int8', [2, 3], Int8Array.of(1, -2, 3, 40, 5, -6));
const zero = tensor('int8', [3], Int8Array.of(1, 0, -1));

/** The scale alone is a float. */
const dequantized =
  (domain: string, perAxis: boolean): Build =>
  (g, [scale]) => {
    const inputs = [g.constant(codes), scale!, perAxis ? g.constant(zero) : null];
    const y = g.op('DequantizeLinear', inputs, perAxis ? { axis: 1 } : {}, { domain });
    return g.mul(y, y);
  };

export const QUANTIZATION_CASES: GradientCase[] = [
  ['DequantizeLinear', 'one scale', { inputs: [x()], build: dequantized('', false), type: 'float32' }],
  [
    'DequantizeLinear',
    'a scale for each column',
    { inputs: [{ ...within(0.5, 1.5, 3), named: [] }], build: dequantized('', true), type: 'float32' },
  ],
  [
    'com.microsoft::DequantizeLinear',
    '',
    {
      inputs: [{ ...within(0.5, 1.5, 3), named: [] }],
      build: dequantized('com.microsoft', true),
      type: 'float32',
    },
  ],
];
