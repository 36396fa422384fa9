import { intAttribute } from '../graph.ts';
import { type InferenceRule, inputAt } from './rule.ts';

/** In training form the running statistics come after the output, as they are after the batch. */
const batchNormalization: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const statistics = [3, 4].map((index) => {
    const running = inputAt(context, index);
    return { type: running.type, shape: running.shape };
  });
  const training = intAttribute(context, 'training_mode', 0) === 1;
  return [{ type, shape }, ...(training ? statistics : [])];
};

const sameAsInput: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape }];
};

export const NORMALIZATION_RULES: Record<string, InferenceRule> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: sameAsInput,
  GroupNormalization: sameAsInput,
  MeanVarianceNormalization: sameAsInput,
  LRN: sameAsInput,
};
