import { intAttribute } from '../graph.ts';
import { CONVOLUTION_RULES } from './convolution.ts';
import { POOLING_RULES } from './pooling.ts';
import { type InferenceRule, inputAt, ShapeError } from './rule.ts';

/** The operators over blocks of channels keep the shape [N, C, H, W], whatever the order of their elements. */
const reorderInput: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  if (shape.length < 3) throw new ShapeError(`${context.opType} takes [batch, channels, ...]`);
  if (intAttribute(context, 'channels_last', 0) === 0) return [{ type, shape }];
  return [{ type, shape: [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)] }];
};

const reorderOutput: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const channels = intAttribute(context, 'channels', 0);
  if (intAttribute(context, 'channels_last', 0) === 0)
    return [{ type, shape: [shape[0]!, channels, ...shape.slice(2)] }];
  return [{ type, shape: [shape[0]!, ...shape.slice(2), channels] }];
};

/** ONNX Runtime's own operators over blocked tensors (core/graph/contrib_ops/nchwc_schema_defs.cc). */
export const BLOCKED_RULES: Record<string, InferenceRule> = {
  'com.microsoft.nchwc::ReorderInput': reorderInput,
  'com.microsoft.nchwc::ReorderOutput': reorderOutput,
  'com.microsoft.nchwc::Conv': CONVOLUTION_RULES.Conv!,
  'com.microsoft.nchwc::MaxPool': (context) => POOLING_RULES.MaxPool!(context).slice(0, 1),
  'com.microsoft.nchwc::AveragePool': (context) => POOLING_RULES.AveragePool!(context).slice(0, 1),
  'com.microsoft.nchwc::GlobalAveragePool': POOLING_RULES.GlobalAveragePool!,
  'com.microsoft.nchwc::GlobalMaxPool': POOLING_RULES.GlobalMaxPool!,
};
