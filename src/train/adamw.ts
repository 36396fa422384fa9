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

export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Applied to matrices and tables only, as is usual: not to biases and normalisation scales. */
  readonly weightDecay?: number;
}

/**
 * Adam with decoupled weight decay. Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
 *
 * The two averages are kept without their factors (1 - beta), which move into the step size: two elementwise passes
 * over every parameter fewer, and the same numbers but for rounding.
 */
export function adamw(options: AdamWOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return {
    kind: 'adamw',
    slots: ['m', 'v'],
    prepare: (g, scalars) => rule(g, scalars, (v) => g.sqrt(v)),
    // The root has no slope at 0, where the embeddings of tokens are that did not occur yet.
    prepareSmooth: (g, scalars) => rule(g, scalars, (v) => g.sqrt(g.max(v, 1e-30))),
  };

  function rule(
    g: GraphBuilder,
    { learningRate, step }: OptimizerScalars,
    root: (v: TypedValue) => TypedValue,
  ): ParameterUpdate {
    const correction = (beta: number) => g.sub(1, g.pow(g.scalar(beta), step));
    // m_hat = m (1 - beta1) / (1 - beta1^t), and the same for v under the root.
    const stepSize = g.div(g.mul(learningRate, 1 - beta1), correction(beta1));
    const rootScale = g.sqrt(g.div(g.scalar(1 - beta2), correction(beta2)));
    // stepSize m / (rootScale sqrt(v) + epsilon), divided by rootScale above and below: a pass fewer.
    const rate = g.div(stepSize, rootScale);
    const floor = g.div(epsilon, rootScale);
    const decay = g.sub(1, g.mul(learningRate, weightDecay));
    return (parameter, gradient, [m, v]) => {
      const nextM = g.add(g.mul(m, beta1), gradient);
      const nextV = g.add(g.mul(v, beta2), g.mul(gradient, gradient));
      const change = g.mul(g.div(nextM, g.add(root(nextV), floor)), rate);
      const kept = decays(parameter, weightDecay) ? g.mul(parameter, decay) : parameter;
      return { parameter: g.sub(kept, change), state: [nextM, nextV] };
    };
  }
}

export const adamwOptimizer = defineOptimizer({
  kind: 'adamw',
  options: z
    .strictObject({
      learningRate: z.number().positive().default(3e-3).describe('The peak, after the warm-up.'),
      weightDecay: z.number().min(0).max(1000).default(0.01),
      beta1: z.number().min(0).lt(1).default(0.9),
      beta2: z.number().min(0).lt(1).default(0.999),
      epsilon: z.number().positive().default(1e-8),
    })
    .describe('Adam with decoupled weight decay (Loshchilov and Hutter, 2019).'),
  create: adamw,
});
