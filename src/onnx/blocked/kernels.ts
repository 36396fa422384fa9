import type { AttributeInits } from '../attributes.ts';
import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';

/**
 * ONNX Runtime's operators over tensors whose channels lie in blocks (core/graph/contrib_ops/nchwc_schema_defs.cc). Such
 * a tensor keeps the shape [N, C, H, W], and its elements lie as [N, C / B, H, W, B].
 */
export const BLOCKED = 'com.microsoft.nchwc';

/** The shape of a tensor of images: [N, C, H, W]. */
export type ImageShape = readonly [number, number, number, number];

/** The attributes of a convolution of 1x1 with stride 1 and no padding. */
const BY_PIXEL = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };

/** The shape of a float32 tensor of images whose sizes are numbers, or undefined. */
export function imageShape(value: TypedValue): ImageShape | undefined {
  const { shape } = value;
  if (shape.length !== 4 || !shape.every((dim) => typeof dim === 'number' && dim > 0)) return undefined;
  return shape as unknown as ImageShape;
}

/** Lays a tensor [N, C, H, W] in blocks; C is a multiple of the block. */
export function toBlocks(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.op('ReorderInput', [x], {}, { domain: BLOCKED });
}

/** The tensor in the standard order of its elements. */
export function fromBlocks(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.op('ReorderOutput', [x], { channels: x.shape[1] as number }, { domain: BLOCKED });
}

/**
 * Weights [O, C, K, L] in the order that a blocked convolution reads: [O / B, C / B, K, L, B of C, B of O], and where
 * its input is not blocked (`byOutputs`), [O / B, C, K, L, B of O]. The shape stays.
 */
export function weightBlocks(g: GraphBuilder, w: TypedValue, block: number, byOutputs: boolean): TypedValue {
  const [outputs, inputs, rows, columns] = w.shape as number[];
  if (byOutputs) {
    const parts = g.reshape(w, [outputs / block, block, inputs, rows, columns]);
    return g.reshape(g.transpose(parts, [0, 2, 3, 4, 1]), w.shape as number[]);
  }
  const parts = g.reshape(w, [outputs / block, block, inputs / block, block, rows, columns]);
  return g.reshape(g.transpose(parts, [0, 2, 4, 5, 3, 1]), w.shape as number[]);
}

/** A convolution of blocked tensors; `sum` is added to its result, before the activation. */
export function blockedConvolution(
  g: GraphBuilder,
  { x, weights, bias, sum }: BlockedConvolution,
  attributes: AttributeInits,
): TypedValue {
  return g.op('Conv', [x, weights, bias ?? null, sum ?? null], attributes, { domain: BLOCKED });
}

export interface BlockedConvolution {
  readonly x: TypedValue;
  /** As `weightBlocks` gives them. */
  readonly weights: TypedValue;
  /** [O]. */
  readonly bias?: TypedValue;
  /** Blocked, of the result's shape. */
  readonly sum?: TypedValue;
}

/** scale x + shift + sum, for each channel, and an activation: all in one pass over memory. */
export interface ByChannel {
  readonly x: TypedValue;
  /** [C]; 1 when absent. */
  readonly scale?: TypedValue;
  /** [C]. */
  readonly shift?: TypedValue;
  readonly sum?: TypedValue;
  readonly activation?: 'Relu';
}

/** It is a depthwise convolution of 1x1: one pass, on all threads, where a product and a sum are two. */
export function byChannel(g: GraphBuilder, { x, scale, shift, sum, activation }: ByChannel): TypedValue {
  const channels = x.shape[1] as number;
  const ones = () => g.fill([channels, 1, 1, 1], 1);
  const weights = scale ? g.reshape(scale, [channels, 1, 1, 1]) : ones();
  const bias = shift && g.reshape(shift, [channels]);
  const attributes = { ...BY_PIXEL, group: channels, ...(activation ? { activation } : {}) };
  return blockedConvolution(
    g,
    { x, weights, ...(bias ? { bias } : {}), ...(sum ? { sum } : {}) },
    attributes,
  );
}

/** Sums or means over the pixels of a blocked tensor: [N, C], in the order of channels. */
export function overPixels(
  g: GraphBuilder,
  operator: 'ReduceSum' | 'ReduceMean',
  x: TypedValue,
  block: number,
): TypedValue {
  const [batch, channels, height, width] = x.shape as number[];
  const parts = g.reshape(x, [(batch * channels) / block, height * width, block]);
  const reduced = g.op(operator, [parts, g.ints([1])], { keepdims: 0 });
  return g.reshape(reduced, [batch, channels]);
}

/**
 * Sums over the pixels of a product of two blocked tensors: [N, C]. It is a depthwise convolution with one of them as the
 * kernel, which writes nothing of the product.
 */
export function productOverPixels(g: GraphBuilder, a: TypedValue, b: TypedValue): TypedValue {
  const [batch, channels, height, width] = a.shape as number[];
  const all = batch * channels;
  const sums = g.op(
    'Conv',
    [g.reshape(a, [1, all, height, width]), g.reshape(b, [all, 1, height, width])],
    { ...BY_PIXEL, kernel_shape: [height, width], group: all },
    { domain: BLOCKED },
  );
  return g.reshape(sums, [batch, channels]);
}
