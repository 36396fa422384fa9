import { type DataType, dataTypeFromCode } from '../data-type.ts';
import { intAttribute } from '../graph.ts';
import { type InferenceContext, type InferenceRule, inputAt } from './rule.ts';

/** Attribute `output_dtype` (QuantizeLinear from opset 21 on, DequantizeLinear from 23 on). */
function outputType(context: InferenceContext): DataType | undefined {
  const code = intAttribute(context, 'output_dtype', 0);
  return code === 0 ? undefined : dataTypeFromCode(code);
}

const quantizeLinear: InferenceRule = (context) => {
  const zeroPoint = context.inputs[2];
  return [{ type: zeroPoint?.type ?? outputType(context) ?? 'uint8', shape: inputAt(context, 0).shape }];
};

const dequantizeLinear: InferenceRule = (context) => [
  { type: outputType(context) ?? inputAt(context, 1).type, shape: inputAt(context, 0).shape },
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
  'com.microsoft::QuantizeLinear': quantizeLinear,
  'com.microsoft::DequantizeLinear': dequantizeLinear,
};
