import { z } from 'zod';
import { decays, defineOptimizer, type Optimizer } from './optimizer.ts';

export interface SgdOptions {
  /** What is kept of the last step; 0 keeps nothing, and needs no state. */
  readonly momentum?: number;
  /** Looks ahead along the momentum (Nesterov); without one it changes nothing. */
  readonly nesterov?: boolean;
  /** Added to the gradient as weightDecay * parameter, for matrices and tables only. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent: d = gradient + weightDecay * parameter; velocity = momentum * velocity + d;
 * parameter -= learningRate * velocity, or with nesterov learningRate * (d + momentum * velocity).
 *
 * Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), section 2, with the
 * learning rate outside of the velocity as in PyTorch's SGD: a schedule then scales the whole step.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
  return {
    kind: 'sgd',
    slots: momentum > 0 ? ['velocity'] : [],
    prepare(g, { learningRate }) {
      return (parameter, gradient, [velocity]) => {
        const slope = decays(parameter, weightDecay)
          ? g.add(gradient, g.mul(parameter, weightDecay))
          : gradient;
        if (!velocity) return { parameter: g.sub(parameter, g.mul(slope, learningRate)), state: [] };
        const next = g.add(g.mul(velocity, momentum), slope);
        const direction = nesterov ? g.add(slope, g.mul(next, momentum)) : next;
        return { parameter: g.sub(parameter, g.mul(direction, learningRate)), state: [next] };
      };
    },
  };
}

export const sgdOptimizer = defineOptimizer({
  kind: 'sgd',
  options: z
    .strictObject({
      learningRate: z.number().positive().default(0.1).describe('The peak, after the warm-up.'),
      weightDecay: z.number().min(0).max(1000).default(5e-4).describe('Added to the gradient.'),
      momentum: z.number().min(0).lt(1).default(0.9),
      nesterov: z.boolean().default(false).describe('Looks ahead along the momentum.'),
    })
    .describe('Stochastic gradient descent with momentum (Sutskever et al., 2013).'),
  create: sgd,
});
