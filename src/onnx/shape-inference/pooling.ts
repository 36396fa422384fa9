import { intsAttribute } from '../graph.ts';
import { windowGeometry, windowOutput } from '../window-geometry.ts';
import { type InferenceRule, inputAt, ShapeError } from './rule.ts';

const pool: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const kernel = intsAttribute(context, 'kernel_shape');
  if (!kernel || kernel.length !== shape.length - 2)
    throw new ShapeError(`kernel_shape [${kernel ?? ''}] does not fit a rank of ${shape.length}`);
  const spatial = windowOutput(context, windowGeometry(context, kernel, shape), shape, context.freshDim);
  const pooled = [...shape.slice(0, 2), ...spatial];
  return [
    { type, shape: pooled },
    { type: 'int64', shape: pooled },
  ];
};

const globalPool: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape: shape.map((size, axis) => (axis < 2 ? size : 1)) }];
};

export const POOLING_RULES: Record<string, InferenceRule> = {
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  GlobalLpPool: globalPool,
};
