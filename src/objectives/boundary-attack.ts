import { gradients } from '../autodiff/gradients.ts';
import { stopGradient } from '../autodiff/stop-gradient.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

export interface AttackOptions {
  /** How far it goes, in parts of the root mean square of the features. */
  readonly epsilon: number;
  readonly steps: number;
}

/**
 * Moves features [n, ...] towards a decision boundary of a model, by `steps` steps of size epsilon / steps along the sign of
 * the gradient of the margin: of one class a sample, logit(from) - logit(to). A row that has crossed the boundary rests: it
 * supports the boundary from the other side, near to it. Returns the disturbance, through which no gradient flows.
 *
 * Heo, Lee, Yun and Choi, "Knowledge Distillation with Adversarial Samples Supporting Decision Boundary" (2019),
 * equations 2-5, with steps of one length as in Goodfellow, Shlens and Szegedy (2015), section 4, and Madry et al. (2018).
 *
 * @param marginAt how far the model's answer to other features is from the boundary, float32 [n]: less than 0 beyond it
 */
export function boundaryAttack(
  g: GraphBuilder,
  features: TypedValue,
  marginAt: (features: TypedValue) => TypedValue,
  { epsilon, steps }: AttackOptions,
): TypedValue {
  const clean = stopGradient(g, features);
  const size = g.sqrt(g.reduceMean(g.square(clean), { keepDims: false }));
  const length = g.mul(size, epsilon / steps);
  let moved = clean;
  for (let step = 0; step < steps; step++) {
    const margin = marginAt(moved);
    const [slope] = gradients(g, g.reduceSum(margin, { keepDims: false }), [moved]);
    if (!slope) return g.mul(clean, 0);
    const axes = clean.shape.slice(1).map((_, i) => i + 1);
    const before = g.unsqueeze(g.cast(g.greater(margin, 0), 'float32'), axes);
    moved = g.sub(moved, g.mul(g.mul(g.sign(slope), before), length));
  }
  return stopGradient(g, g.sub(moved, clean));
}
