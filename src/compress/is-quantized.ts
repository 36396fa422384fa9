import type { Graph } from '../onnx/graph.ts';

/** Operators that compute with integers of fewer bits, or unpack numbers that are kept so. */
const OPERATORS = new Set([
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'MatMulInteger', 'ConvInteger'],
  ...['QLinearMatMul', 'QLinearConv', 'QGemm', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul'],
  ...['QAttention', 'MatMulNBits', 'GatherBlockQuantized'],
]);

/** Whether a model came quantised: what is called its float32 form would be none. */
export function isQuantized({ nodes }: Graph): boolean {
  return nodes.some(({ opType }) => OPERATORS.has(opType));
}
