import type { TypedValue } from './graph.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** The axes of [N, C, ...] that a batch normalisation averages over: all but the channels. */
export function batchAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
}

/**
 * Mean and (biased) variance of every channel of x [N, C, ...] over the batch, as [1, C, 1, ...].
 *
 * Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 1. The gradient of a BatchNormalization in training form
 * and the pass that takes its place (`lower-batch-norm.ts`) both call this, so that it is computed once.
 */
export function batchStatistics(
  g: GraphBuilder,
  x: TypedValue,
): { readonly mean: TypedValue; readonly variance: TypedValue } {
  const axes = batchAxes(x.shape.length);
  const mean = g.reduceMean(x, { axes });
  const variance = g.reduceMean(g.square(g.sub(x, mean)), { axes });
  return { mean, variance };
}
