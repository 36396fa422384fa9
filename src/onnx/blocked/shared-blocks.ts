import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { float32 } from '../tensor.ts';
import type { ImageShape } from './kernels.ts';

/**
 * Channels that are not whole blocks: a few samples side by side are. The tensor [N, C, H, W] is taken for
 * [N / k, k C, H, W], which in the standard order is the same memory; with C = 8 and blocks of 16 two samples share each.
 * Nothing is padded, so that elementwise passes cost no more; a convolution of all channels multiplies k times as much,
 * for its weights have zeros between samples. Where C is whole blocks, samples may be taken together or apart in blocks
 * too without moving anything.
 */
export const MOST_SHARED = 4;

/** How many samples share blocks where there are so many channels; undefined where too many would. */
export function samplesShared(channels: number, block: number): number | undefined {
  const shared = block / greatestDivisor(channels, block);
  return shared <= MOST_SHARED ? shared : undefined;
}

/** How many samples a convolution from so many channels to so many takes together; undefined where it would be too many. */
export function convolutionShared(inputs: number, outputs: number, block: number): number | undefined {
  const after = samplesShared(outputs, block);
  // So few are read in the standard order.
  if (after === undefined || inputs * after < block) return after;
  const before = samplesShared(inputs, block);
  // Both divide the block.
  return before === undefined ? undefined : Math.max(before, after);
}

/** The shape in which a tensor of images is whole blocks; undefined where there is none. */
export function sharedShape(
  [batch, channels, height, width]: ImageShape,
  block: number,
): ImageShape | undefined {
  const shared = samplesShared(channels, block);
  if (shared === undefined || batch % shared !== 0) return undefined;
  return [batch / shared, channels * shared, height, width];
}

/** A shape of images with so many samples side by side. */
export function withShared([batch, channels, height, width]: ImageShape, shared: number): ImageShape {
  return [batch / shared, channels * shared, height, width];
}

/** Takes a tensor for one of another shape; the value itself where it has that shape. */
export function shapedAs(g: GraphBuilder, x: TypedValue, shape: readonly number[]): TypedValue {
  return x.shape.join() === shape.join() ? x : g.reshape(x, shape);
}

/** Numbers by channel, or depthwise weights: once for each of the samples side by side. */
export function repeated(g: GraphBuilder, x: TypedValue, times: number): TypedValue {
  return times === 1
    ? x
    : g.concat(
        Array.from({ length: times }, () => x),
        0,
      );
}

/** Weights [O, C, K, L] of each sample alone as those of samples side by side: [k O, k C, K, L], zeros between samples. */
export function sharedWeights(g: GraphBuilder, w: TypedValue, shared: number): TypedValue {
  if (shared === 1) return w;
  const [outputs, inputs, rows, columns] = w.shape as number[];
  const parts = g.reshape(w, [1, outputs, 1, inputs * rows * columns]);
  const whole = g.mul(parts, diagonal(g, shared));
  // [k, O, k, C K L]
  return g.reshape(whole, [shared * outputs, shared * inputs, rows, columns]);
}

/** The gradient of such weights, [k O, k C, K, L], as that of the weights that they were made of: [O, C, K, L]. */
export function unsharedGradient(g: GraphBuilder, gradient: TypedValue, shared: number): TypedValue {
  if (shared === 1) return gradient;
  const [outputs, inputs, rows, columns] = gradient.shape as number[];
  const [ownOutputs, ownInputs] = [outputs / shared, inputs / shared];
  const parts = g.reshape(gradient, [shared, ownOutputs, shared, ownInputs * rows * columns]);
  const own = g.reduceSum(g.mul(parts, diagonal(g, shared)), { axes: [0, 2], keepDims: false });
  return g.reshape(own, [ownOutputs, ownInputs, rows, columns]);
}

/** [k, 1, k, 1] with ones where both are the same. */
function diagonal(g: GraphBuilder, shared: number): TypedValue {
  const data = new Float32Array(shared ** 2);
  for (let i = 0; i < shared; i++) data[i * shared + i] = 1;
  return g.constant(float32(data, [shared, 1, shared, 1]));
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
