import {
  type ConvolutionPlace,
  noteGradient,
  type StandardForm,
} from '../../onnx/blocked/noted-convolution.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { span, type WindowGeometry } from '../../onnx/window-geometry.ts';
import { range } from '../broadcast.ts';
import { reshapeTo, type Size, shapeVector, sizesOf } from '../sizes.ts';
import { multiply } from './multiply.ts';
import { kernelPlaces, padSpatial, takeSpatial } from './window-slices.ts';

/** A convolution: what both of its gradients depend on. */
export type Convolution = ConvolutionPlace;

/** Far before the first element: where a Slice with a negative step ends. */
const BEFORE_ALL = -(2 ** 31);

/** The attributes of a Conv or ConvTranspose node. */
function attributesOf({ kernel, strides, dilations, before, after }: WindowGeometry, group: number) {
  return { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group };
}

/**
 * d loss / d x of y = Conv(x, w), with the shape of `x` [N, C, ...]; `dy` is [N, M, ...], `w` [M, C / group, ...].
 *
 * With stride 1 a Conv of dy with the flipped weights, which is faster than a ConvTranspose (16.9 ms against 26.1 for
 * 3x3, depthwise 3.9 against 12.8: docs/measurements-convolution.md).
 */
export function inputGradient(
  g: GraphBuilder,
  { geometry, group }: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): TypedValue {
  const { kernel, strides, dilations, before, after } = geometry;
  const spans = kernel.map((size, axis) => span(size, dilations[axis]));
  const insideOut = {
    ...geometry,
    before: before.map((pad, axis) => spans[axis] - 1 - pad),
    after: after.map((pad, axis) => spans[axis] - 1 - pad),
  };
  const fits = [...insideOut.before, ...insideOut.after].every((pad) => pad >= 0);
  if (strides.every((stride) => stride === 1) && fits) {
    const dx = g.op(
      'Conv',
      [dy, flipped(g, swapChannels(g, w, group), kernel)],
      attributesOf(insideOut, group),
    );
    return noteGradient(dx, { geometry, group, of: 'input', x, w, dy });
  }
  const sizes = x.shape.slice(2);
  if (sizes.every((size) => typeof size === 'number')) {
    // What a stride left over at the end was not seen: it gets zeros.
    const rest = sizes.map((size, axis) => (size + before[axis] + after[axis] - spans[axis]) % strides[axis]);
    const dx = g.op('ConvTranspose', [dy, w], { ...attributesOf(geometry, group), output_padding: rest });
    return noteGradient(dx, { geometry, group, of: 'input', x, w, dy });
  }
  const widest = strides.map((stride) => stride - 1);
  const whole = g.op('ConvTranspose', [dy, w], { ...attributesOf(geometry, group), output_padding: widest });
  const axes = range(sizes.length).map((axis) => axis + 2);
  const ends = shapeVector(g, sizesOf(g, x).slice(2));
  const cut = g.op('Slice', [whole, g.ints(axes.map(() => 0)), ends, g.ints(axes)]);
  return reshapeTo(g, cut, sizesOf(g, x));
}

/**
 * d loss / d w of y = Conv(x, w), with the shape of `w` [M, C / group, ...]; `x` is [N, C, ...], `dy` [N, M, ...].
 *
 * By measurement (docs/measurements-convolution.md): a product for each place of the kernel, or one over all places
 * with the channels last; a Conv with dy as its kernel for images of few channels, and where sizes are not known; for
 * a depthwise convolution a Conv with a group for each channel of each sample.
 */
export function weightGradient(
  g: GraphBuilder,
  convolution: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): TypedValue {
  const [batch] = x.shape;
  const known = [...x.shape.slice(1), ...dy.shape.slice(1)].every((size) => typeof size === 'number');
  const depthwise = w.shape[1] === 1 && w.shape[0] === convolution.group && convolution.group > 1;
  if (depthwise && known && typeof batch === 'number') {
    const found = depthwiseWeightGradient(g, convolution, x, w, dy);
    return noteGradient(found, { ...convolution, of: 'weight', x, w, dy });
  }
  if (!known) return swappedConvolution(g, convolution, x, w, dy);
  const own = weightGradientForm(convolution, x, w, dy);
  return noteGradient(FORMED[own](g, convolution, x, w, dy), {
    ...convolution,
    of: 'weight',
    x,
    w,
    dy,
    forms: { own, as: (builder, form, ...[from, to]) => FORMED[form](builder, convolution, from, w, to) },
  });
}

/** The form that a weight's gradient has where nobody has measured it on this machine. */
export function weightGradientForm(
  convolution: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): StandardForm {
  if (typeof x.shape[0] === 'number' && hasFewChannels(convolution, w)) return 'swapped';
  return prefersChannelsLast(convolution, w, dy) ? 'columns' : 'places';
}

/** Images rather than features: 15.9 ms against 38.0 for [128, 3, 64, 64] with 16 kernels of 3x3 and stride 2. */
function hasFewChannels({ geometry, group }: Convolution, w: TypedValue): boolean {
  return group === 1 && (w.shape[1] as number) <= 4 && geometry.kernel.some((size) => size > 1);
}

/**
 * Many channels, or pixels that lie apart. 3x3 over [128, 32, 28, 28]: 107 ms by place, 186 as one product; over
 * [128, 64, 14, 14] 94 and 74, with stride 2 56 and 33; 1x1 over [128, 96, 2, 2] to 576 channels 6.6 and 1.0.
 */
function prefersChannelsLast({ geometry, group }: Convolution, w: TypedValue, dy: TypedValue): boolean {
  if (group !== 1) return false;
  const inputs = w.shape[1] as number;
  const pixels = (dy.shape.slice(2) as number[]).reduce((product, count) => product * count, 1);
  if (geometry.kernel.every((size) => size === 1)) return pixels <= 4;
  return inputs >= 64 || (inputs >= 16 && geometry.strides.some((stride) => stride > 1));
}

/** dy [samples and pixels, M] times what every place of the kernel saw [samples and pixels, places and C], in one product. */
function productOfColumns(
  g: GraphBuilder,
  { geometry }: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): TypedValue {
  const { kernel, strides, dilations, before, after } = geometry;
  const rank = kernel.length;
  const spatial = range(rank).map((axis) => axis + 2);
  const channelsLast = (value: TypedValue) => g.transpose(value, [0, ...spatial, 1]);
  const counts = dy.shape.slice(2) as number[];
  const padded = padSpatial(g, channelsLast(x), before, after, 1);
  const seen = kernelPlaces(kernel).map((place) => {
    const taken = place.map((at, axis) => ({
      start: at * dilations[axis],
      count: counts[axis],
      step: strides[axis],
    }));
    return takeSpatial(g, padded, taken, 1);
  });
  const columns = seen.length === 1 ? seen[0] : g.concat(seen, rank + 1);
  const [outputs, inputs] = w.shape as number[];
  const rows = g.reshape(channelsLast(dy), [-1, outputs]);
  const product = g.gemm(rows, g.reshape(columns, [-1, inputs * seen.length]), null, { transA: true });
  if (seen.length === 1) return g.reshape(product, w.shape as number[]);
  const byPlace = g.reshape(product, [outputs, ...kernel, inputs]);
  return g.transpose(byPlace, [0, rank + 1, ...range(rank).map((axis) => axis + 1)]);
}

/** For each place (i, j) of the kernel: sum over samples of dy [M, pixels] times the pixels that it saw [pixels, C]. */
function productsByPlace(
  g: GraphBuilder,
  { geometry, group }: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): TypedValue {
  const { kernel, strides, dilations, before, after } = geometry;
  const counts = dy.shape.slice(2) as number[];
  const pixels = counts.reduce((product, count) => product * count, 1);
  const [outputs, inputs] = [(w.shape[0] as number) / group, w.shape[1] as number];
  const split = (value: TypedValue, channels: number) =>
    g.reshape(value, group === 1 ? [0, channels, pixels] : [0, group, channels, pixels]);
  const rows = split(dy, outputs);
  const padded = padSpatial(g, x, before, after);
  const places = kernelPlaces(kernel).map((place) => {
    const seen = takeSpatial(
      g,
      padded,
      place.map((at, axis) => ({
        start: at * dilations[axis],
        count: counts[axis],
        step: strides[axis],
      })),
    );
    const product = multiply(
      g,
      { value: rows, transposed: false },
      { value: split(seen, inputs), transposed: true },
    );
    return g.reduceSum(product, { axes: [0] });
  });
  const shape = w.shape as readonly number[];
  if (places.length === 1) return g.reshape(places[0], shape);
  // [places, (group,) M / group, C / group], then the places last.
  const stacked = g.concat(places, 0);
  const rank = stacked.shape.length;
  return g.reshape(g.transpose(stacked, [...range(rank).slice(1), 0]), shape);
}

/** Samples and channels together are the channels of one image; dy is its kernel, which moves over the places of w. */
function depthwiseWeightGradient(
  g: GraphBuilder,
  { geometry }: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): TypedValue {
  const [batch, channels] = x.shape as number[];
  const image = g.reshape(x, [1, batch * channels, ...(x.shape.slice(2) as number[])]);
  const kernel = g.reshape(dy, [batch * channels, 1, ...(dy.shape.slice(2) as number[])]);
  const found = g.op('Conv', [image, kernel], swappedAttributes(geometry, dy, batch * channels));
  const cut = firstPlaces(g, found, geometry.kernel);
  const bySample = g.reshape(cut, [batch, ...(w.shape as number[])]);
  return g.reduceSum(bySample, { axes: [0], keepDims: false });
}

/** A Conv with samples and channels swapped, for sizes that are not known. */
function swappedConvolution(
  g: GraphBuilder,
  { geometry, group }: Convolution,
  x: TypedValue,
  w: TypedValue,
  dy: TypedValue,
): TypedValue {
  const inputs = w.shape[1] as number;
  const outputs = (w.shape[0] as number) / group;
  const spatial = range(x.shape.length - 2);
  const grouped = (
    value: TypedValue,
    channels: number,
    perm: readonly number[],
    fold: (s: Size[]) => Size[],
  ) => {
    const [batch, , ...sizes] = sizesOf(g, value);
    const parts = reshapeTo(g, value, [batch, group, channels, ...sizes]);
    const moved = g.transpose(parts, [...perm, ...spatial.map((axis) => axis + 3)]);
    return g.op('Reshape', [moved, shapeVector(g, fold([batch, ...sizes]))]);
  };
  // x: [C / group, group * N, ...], dy: [M, N, ...].
  const image = grouped(x, inputs, [2, 1, 0], ([, ...sizes]) => [inputs, -1, ...sizes]);
  const kernel = grouped(dy, outputs, [1, 2, 0], ([, ...sizes]) => [outputs * group, -1, ...sizes]);
  const { strides, dilations, before, after } = geometry;
  const found = g.op('Conv', [image, kernel], {
    strides: dilations,
    dilations: strides,
    pads: [...before, ...after],
    group,
  });
  const cut = firstPlaces(g, found, geometry.kernel);
  const swapped = g.transpose(cut, [1, 0, ...spatial.map((axis) => axis + 2)]);
  return g.reshape(swapped, w.shape as number[]);
}

/** Strides and dilations change their roles when dy becomes the kernel. */
function swappedAttributes(geometry: WindowGeometry, dy: TypedValue, group: number) {
  const { strides, dilations } = geometry;
  const kernel = dy.shape.slice(2) as number[];
  return attributesOf({ ...geometry, kernel, strides: dilations, dilations: strides }, group);
}

/** The first places along the spatial axes: a stride that left a rest makes more of them than the kernel has. */
function firstPlaces(g: GraphBuilder, x: TypedValue, kernel: readonly number[]): TypedValue {
  if (kernel.every((size, axis) => x.shape[axis + 2] === size)) return x;
  const axes = range(kernel.length).map((axis) => axis + 2);
  return g.op('Slice', [x, g.ints(axes.map(() => 0)), g.ints(kernel), g.ints(axes)]);
}

/** Weights [M, C / group, ...] as [C, M / group, ...]: those of the convolution in the other direction. */
function swapChannels(g: GraphBuilder, w: TypedValue, group: number): TypedValue {
  const [outputs, inputs, ...kernel] = w.shape as number[];
  if (inputs === 1 && outputs === group) return w;
  const spatial = range(kernel.length);
  if (group === 1) return g.transpose(w, [1, 0, ...spatial.map((axis) => axis + 2)]);
  const parts = g.reshape(w, [group, outputs / group, inputs, ...kernel]);
  const swapped = g.transpose(parts, [0, 2, 1, ...spatial.map((axis) => axis + 3)]);
  return g.reshape(swapped, [group * inputs, outputs / group, ...kernel]);
}

/** The kernel turned around along every spatial axis. */
function flipped(g: GraphBuilder, w: TypedValue, kernel: readonly number[]): TypedValue {
  const axes = kernel.flatMap((size, axis) => (size > 1 ? [axis + 2] : []));
  if (axes.length === 0) return w;
  const each = (value: number) => g.ints(axes.map(() => value));
  return g.op('Slice', [w, each(-1), each(BEFORE_ALL), g.ints(axes), each(-1)]);
}

/** A weight's gradient in each of its forms; `columns` is for one group. */
const FORMED: Readonly<Record<StandardForm, typeof productsByPlace>> = {
  places: productsByPlace,
  columns: productOfColumns,
  swapped: swappedConvolution,
};
