import { type InferenceRule, inputAt } from './rule.ts';

const quantizeLinear: InferenceRule = (context) => {
  const zeroPoint = context.inputs[2];
  return [{ type: zeroPoint?.type ?? 'uint8', shape: inputAt(context, 0).shape }];
};

const dequantizeLinear: InferenceRule = (context) => [
  { type: inputAt(context, 1).type, shape: inputAt(context, 0).shape },
];

const dynamicQuantizeLinear: InferenceRule = (context) => [
  { type: 'uint8', shape: inputAt(context, 0).shape },
  { type: 'float32', shape: [] },
  { type: 'uint8', shape: [] },
];

export const QUANTIZATION_RULES: Record<string, InferenceRule> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
};
