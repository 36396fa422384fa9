import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { BLOCKED, blockedConvolution, type ImageShape, weightBlocks } from './kernels.ts';
import type { ConvolutionPlace } from './noted-convolution.ts';
import { repeated, shapedAs } from './shared-blocks.ts';

/** What the gradient of a depthwise convolution's weights is computed from; x and dy are in blocks. */
export interface DepthwiseGradientParts extends ConvolutionPlace {
  /** [N, C, H, W], or with samples side by side. */
  readonly x: TypedValue;
  readonly dy: TypedValue;
  /** [C, 1, K, L]. */
  readonly shape: readonly number[];
}

/**
 * d loss / d w of a depthwise y = Conv(x, w) as one depthwise convolution: samples and channels together are the channels
 * of one image, and dy is its kernel. In blocks dy lies as such weights do, so nothing is reordered. 3x3 over
 * [128, 32, 14, 14]: 0.9 ms of processor time, in the standard order 10.2 (docs/performance.md).
 */
export function blockedDepthwiseGradient(
  g: GraphBuilder,
  { geometry, x, dy, shape }: DepthwiseGradientParts,
  block: number,
): TypedValue {
  const { strides, dilations, before } = geometry;
  const [batch, together, height, width] = x.shape as number[];
  const [, , rows, columns] = dy.shape as number[];
  const [channels, , ...kernel] = shape as [number, number, number, number];
  const all = batch * together;
  // A stride that left a rest would make more places than the kernel has: what nothing saw is cut off.
  const ends = [height, width].map((size, axis) => {
    const reach = (kernel[axis] - 1) * dilations[axis] + ([rows, columns][axis] - 1) * strides[axis] + 1;
    return reach - size - before[axis];
  });
  const cut = ends.some((end) => end < 0);
  const image = shapedAs(g, x, [1, all, height, width]);
  const found = g.op(
    'Conv',
    [cut ? cropped(g, image, ends, block) : image, g.reshape(dy, [all, 1, rows, columns])],
    {
      kernel_shape: [rows, columns],
      strides: dilations,
      dilations: strides,
      pads: [...before, ...ends.map((end) => Math.max(end, 0))],
      group: all,
    },
    { domain: BLOCKED },
  );
  const places = kernel[0] * kernel[1];
  const bySample = g.reshape(found, [batch, together * places]);
  const parts = g.reduceSum(bySample, { axes: [0] });
  const ordered = g.transpose(g.reshape(parts, [together / block, places, block]), [0, 2, 1]);
  if (together === channels) return g.reshape(ordered, shape);
  const side = g.reshape(ordered, [together / channels, channels * places]);
  return g.reshape(g.reduceSum(side, { axes: [0] }), shape);
}

/** Takes rows and columns at the end of a blocked image away. */
function cropped(g: GraphBuilder, image: TypedValue, ends: readonly number[], block: number): TypedValue {
  const [, channels, height, width] = image.shape as number[];
  const parts = g.reshape(image, [channels / block, height, width, block]);
  const [below, right] = ends.map((end) => Math.min(end, 0)) as [number, number];
  const kept = g.op('Pad', [parts, g.ints([0, 0, 0, 0, 0, below, right, 0])]);
  return g.reshape(kept, [1, channels, height + below, width + right]);
}

/** What the gradient of a strided depthwise convolution's input is computed from. */
export interface StridedInputParts extends ConvolutionPlace {
  /** In blocks: [N, C, H', W'], or with samples side by side. */
  readonly dy: TypedValue;
  /** [C, 1, K, L]. */
  readonly w: TypedValue;
  /** The shape of the input, [N, C, H, W]. */
  readonly image: ImageShape;
}

/** Far before the first element: where a Slice with a negative step ends. */
const BEFORE_ALL = -(2 ** 31);

/**
 * d loss / d x of a depthwise y = Conv(x, w) with a stride: a depthwise convolution with the kernel turned around, over dy
 * with zeros between its pixels. Most of its products are with zeros, and it is fast all the same: 5x5 over
 * [128, 40, 14, 14] with stride 2 takes a ConvTranspose 13 ms of processor time. undefined where it does not fit.
 */
export function stridedDepthwiseInput(
  g: GraphBuilder,
  { geometry, dy, w, image }: StridedInputParts,
  block: number,
): TypedValue | undefined {
  const { kernel, strides, dilations, before } = geometry;
  const [batch, together, rows, columns] = dy.shape as [number, number, number, number];
  const [down, across] = strides as [number, number];
  const spread = [rows * down, columns * across];
  const pads = kernel.map((size, axis) => size - 1 - (before[axis] as number));
  const ends = kernel.map(
    (size, axis) =>
      (image[axis + 2] as number) + size - 1 - (pads[axis] as number) - (spread[axis] as number),
  );
  if (dilations.some((step) => step !== 1) || [...pads, ...ends].some((pad) => pad < 0)) return undefined;
  const parts = g.reshape(dy, [((batch * together) / block) * rows, 1, columns, block]);
  const zeros = g.ints([0, 0, 0, 0, 0, down - 1, 0, (across - 1) * block]);
  const wide = g.reshape(g.op('Pad', [parts, zeros]), [batch, together, ...spread]);
  const each = (value: number) => g.ints([value, value]);
  const turned = g.op('Slice', [w, each(-1), each(BEFORE_ALL), g.ints([2, 3]), each(-1)]);
  const weights = repeated(g, turned, together / (w.shape[0] as number));
  return blockedConvolution(
    g,
    { x: wide, weights: weightBlocks(g, weights, block, true) },
    { kernel_shape: kernel, strides: [1, 1], dilations: [1, 1], pads: [...pads, ...ends], group: together },
  );
}
