import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import {
  decays,
  defineOptimizer,
  type Optimizer,
  type OptimizerScalars,
  type ParameterUpdate,
} from './optimizer.ts';

export interface LionOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  /** Decoupled, for matrices and tables only. */
  readonly weightDecay?: number;
}

/**
 * Lion: every element moves by the learning rate, in the direction of sign(beta1 * m + (1 - beta1) * gradient).
 * Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2. Half of AdamW's state; its learning
 * rate is 3 to 10 times smaller, its weight decay larger by as much.
 *
 * The average is kept without its factor (1 - beta2), which moves under the sign: a pass over every parameter fewer.
 */
export function lion(options: LionOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
  const share = (beta1 * (1 - beta2)) / (1 - beta1);
  return {
    kind: 'lion',
    slots: ['m'],
    prepare: (g, scalars) => rule(g, scalars, (average) => g.sign(average)),
    // A sign has no slope: the average itself, scaled to be as large on the mean.
    prepareSmooth: (g, scalars) =>
      rule(g, scalars, (average) => g.div(average, g.add(g.reduceMean(g.abs(average)), 1e-12))),
  };

  function rule(
    g: GraphBuilder,
    { learningRate }: OptimizerScalars,
    directionOf: (average: TypedValue) => TypedValue,
  ): ParameterUpdate {
    const decay = g.sub(1, g.mul(learningRate, weightDecay));
    return (parameter, gradient, [m]) => {
      const direction = directionOf(g.add(g.mul(m, share), gradient));
      const kept = decays(parameter, weightDecay) ? g.mul(parameter, decay) : parameter;
      return {
        parameter: g.sub(kept, g.mul(direction, learningRate)),
        state: [g.add(g.mul(m, beta2), gradient)],
      };
    };
  }
}

export const lionOptimizer = defineOptimizer({
  kind: 'lion',
  options: z
    .strictObject({
      learningRate: z.number().positive().default(3e-4).describe('The peak, after the warm-up.'),
      weightDecay: z.number().min(0).max(1000).default(0.1),
      beta1: z.number().min(0).lt(1).default(0.9),
      beta2: z.number().min(0).lt(1).default(0.99),
    })
    .describe('Sign of an average gradient (Chen et al., 2023): half of the state of adamw.'),
  create: lion,
});
