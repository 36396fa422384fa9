import { type Decomposition, inputOf } from './decomposition.ts';

/** A Dropout in training form with its mask as an output, which its gradient needs: random numbers cannot be drawn again. */
const withMask: Decomposition = (call) => {
  const { g, node, inputs } = call;
  const [, ratio = null, training] = inputs;
  if (!training || node.outputs[1]) return undefined;
  const attributes = Object.fromEntries(node.attributes);
  return [g.node('Dropout', [inputOf(call, 0), ratio, training], attributes, { outputs: 2 })[0]!];
};

export const DROPOUT: Record<string, Decomposition> = { Dropout: withMask };
