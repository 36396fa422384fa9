import { type Dim, intAttribute } from '../graph.ts';
import {
  formatShape,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  requireEqualDims,
  ShapeError,
} from './rule.ts';

/** In training form the running statistics come after the output, as they are after the batch. */
const batchNormalization: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  for (const index of [1, 2, 3, 4]) requireVector(context, index, shape[1]);
  const statistics = [3, 4].map((index) => {
    const running = inputAt(context, index);
    return { type: running.type, shape: running.shape };
  });
  const training = intAttribute(context, 'training_mode', 0) === 1;
  return [{ type, shape }, ...(training ? statistics : [])];
};

/** A value for each channel. */
function requireVector(context: InferenceContext, index: number, channels: Dim | undefined): void {
  const { shape } = inputAt(context, index);
  const [length] = shape;
  if (shape.length !== 1 || length === undefined || channels === undefined)
    throw new ShapeError(`input ${index} is ${formatShape(shape)}, not a value for each channel`);
  requireEqualDims(length, channels, `the values of input ${index} and the channels`);
}

const instanceNormalization: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  for (const index of [1, 2]) requireVector(context, index, shape[1]);
  return [{ type, shape }];
};

const sameAsInput: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape }];
};

export const NORMALIZATION_RULES: Record<string, InferenceRule> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: sameAsInput,
  MeanVarianceNormalization: sameAsInput,
  LRN: sameAsInput,
};
