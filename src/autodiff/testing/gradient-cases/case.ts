import type { TypedValue } from '../../../onnx/graph.ts';
import type { GraphBuilder } from '../../../onnx/graph-builder.ts';
import type { RandomStream } from '../../../random.ts';
import type { GradientCheck, TestInput } from '../check-gradients.ts';

/** Operator, form, and the function whose gradient is compared with differences. */
export type GradientCase = [operator: string, form: string, check: GradientCheck];

export const x = (...shape: number[]): TestInput => ({ shape });
/** A tensor whose sizes may be names along some axes alone: the batch of images, none of a kernel. */
export const named = (axes: readonly number[], input: TestInput): TestInput => ({ ...input, named: axes });
/** Elements in [low, high). */
export const within = (low: number, high: number, ...shape: number[]): TestInput => ({
  shape,
  draw: (random) => low + (high - low) * random.uniform(),
});
/** Elements at least `gap` away from every kink and from each other: permuted multiples of 2 gap, off by gap. */
export const apart = (gap: number, ...shape: number[]): TestInput => ({
  shape,
  draw: (random: RandomStream, index) => gap * (2 * ((index * 7) % 11) - 10 + 1 + 0.2 * random.uniform()),
});

export type Build = GradientCheck['build'];
export const of =
  (opType: string, attributes: Parameters<GraphBuilder['op']>[2] = {}, domain = ''): Build =>
  (g, inputs) =>
    g.op(opType, inputs, attributes, { domain });

/** A function after the operator, so that its second derivative is not just zero. */
export const squared =
  (build: Build): Build =>
  (g, inputs, type) => {
    const y = build(g, inputs, type) as TypedValue;
    return g.mul(y, y);
  };
