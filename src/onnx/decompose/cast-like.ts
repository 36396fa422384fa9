import { DATA_TYPE_CODES } from '../data-type.ts';
import { type Decomposition, inputOf } from './decomposition.ts';

/** To the type of another value, which is known here. Functions of PyTorch's newer exporter hold it. */
const castLike: Decomposition = (call) => {
  const to = DATA_TYPE_CODES[inputOf(call, 1).type];
  return [call.g.op('Cast', [inputOf(call, 0)], { to })];
};

export const CAST_LIKE: Record<string, Decomposition> = { CastLike: castLike };
