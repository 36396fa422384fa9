import { intAttribute, intsAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { tensor } from '../../onnx/tensor.ts';
import { span, type WindowGeometry, windowCount, windowGeometry } from '../../onnx/window-geometry.ts';
import { divideBy, expandLike, range } from '../broadcast.ts';
import {
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  outputOf,
  UnsupportedGradient,
} from '../rule.ts';
import { countAlong, expandTo, reshapeTo, sizesOf } from '../sizes.ts';

function geometryOf(call: GradientCall): WindowGeometry {
  const kernel = intsAttribute(call.node, 'kernel_shape') ?? [];
  const geometry = windowGeometry(call.node, kernel, inputOf(call, 0).shape);
  if (!geometry) throw new UnsupportedGradient('auto_pad over sizes that are not known');
  return geometry;
}

/** Where each maximum was taken from, as places in x flattened: the node's second output, or that of the same pool. */
function indicesOf(call: GradientCall): TypedValue {
  const given = call.outputs[1];
  if (given) return given;
  const attributes = Object.fromEntries(call.node.attributes);
  return call.g.node('MaxPool', [inputOf(call, 0)], attributes, { outputs: 2 })[1];
}

/** dy goes to the first element that attained the maximum; windows that overlap add up. */
const maxPool: GradientRule = (call) => {
  const { g, node } = call;
  if (intAttribute(node, 'storage_order', 0) !== 0) throw new UnsupportedGradient('column-major indices');
  const x = inputOf(call, 0);
  const zeros = expandTo(g, g.scalar(0, x.type), [countAlong(g, x)]);
  const flat = g.scatterElements(zeros, g.reshape(indicesOf(call), [-1]), g.reshape(gradientOf(call), [-1]), {
    reduction: 'add',
  });
  return [reshapeTo(g, flat, sizesOf(g, x))];
};

/** What was put at a place gets the gradient of that place. Indices count through the whole output. */
const maxUnpool: GradientRule = (call) => {
  const { g } = call;
  const [x, indices] = [inputOf(call, 0), inputOf(call, 1)];
  const flat = g.gatherElements(g.reshape(gradientOf(call), [-1]), g.reshape(indices, [-1]), 0);
  return [reshapeTo(g, flat, sizesOf(g, x))];
};

/** Ties share the gradient equally, as in a ReduceMax. */
const globalMaxPool: GradientRule = (call) => {
  const { g } = call;
  const x = inputOf(call, 0);
  const attains = g.cast(g.equal(x, outputOf(call)), x.type);
  const count = g.reduceSum(attains, { axes: range(x.shape.length).slice(2) });
  return [g.mul(attains, g.div(gradientOf(call), count))];
};

const globalAveragePool: GradientRule = (call) => {
  const { g } = call;
  const x = inputOf(call, 0);
  const pixels = countAlong(g, x, range(x.shape.length).slice(2));
  return [expandLike(g, divideBy(g, gradientOf(call), pixels), x)];
};

/**
 * Every element of a window gets an equal share. Windows that do not overlap are repeated; others are put together by
 * a ConvTranspose of each channel with a kernel of ones.
 */
const averagePool: GradientRule = (call) => {
  const { g, node } = call;
  const x = inputOf(call, 0);
  const sizes = x.shape.slice(2);
  if (!sizes.every((size) => typeof size === 'number'))
    throw new UnsupportedGradient('sizes that are not known');
  const geometry = geometryOf(call);
  const ceil = intAttribute(node, 'ceil_mode', 0) === 1;
  const shares = sharesOf(geometry, sizes, ceil, intAttribute(node, 'count_include_pad', 0) === 1);
  const dy = gradientOf(call);
  const shared = g.mul(dy, shareConstant(g, x, shares));
  return [
    tiles(geometry, sizes) ? repeated(g, geometry, shared, x) : overlapped(g, geometry, shared, x, ceil),
  ];
};

/** One share for all windows, or one for each place along every axis. */
function shareConstant(g: GraphBuilder, x: TypedValue, shares: readonly number[][]): number | TypedValue {
  const alike = shares.every((along) => along.every((share) => share === along[0]));
  if (alike) return shares.reduce((share, along) => share * (along[0] ?? 1), 1);
  const factors = shares.map((along, axis) => {
    const dims = shares.map((_, other) => (other === axis ? along.length : 1));
    const content = tensor('float32', dims, Float32Array.from(along));
    return g.cast(g.constant(content), x.type);
  });
  return factors.reduce((product, factor) => g.mul(product, factor));
}

/** 1 / the number of elements that count in the window at each place of an axis. */
function sharesOf(
  geometry: WindowGeometry,
  sizes: readonly number[],
  ceil: boolean,
  includePad: boolean,
): number[][] {
  const { kernel, strides, dilations, before, after } = geometry;
  return sizes.map((size, axis) =>
    range(windowCount(geometry, axis, size, ceil)).map((place) => {
      const from = includePad ? -before[axis] : 0;
      const to = includePad ? size + after[axis] : size;
      const start = place * strides[axis] - before[axis];
      // The steps whose place, start + step * dilation, lies between.
      const first = Math.max(0, Math.ceil((from - start) / dilations[axis]));
      const last = Math.min(kernel[axis] - 1, Math.ceil((to - start) / dilations[axis]) - 1);
      return 1 / Math.max(0, last - first + 1);
    }),
  );
}

/** Whether windows lie side by side and cover everything. */
function tiles(
  { kernel, strides, dilations, before, after }: WindowGeometry,
  sizes: readonly number[],
): boolean {
  return kernel.every(
    (size, axis) =>
      strides[axis] === size &&
      dilations[axis] === 1 &&
      before[axis] === 0 &&
      after[axis] === 0 &&
      sizes[axis] % size === 0,
  );
}

function repeated(g: GraphBuilder, { kernel }: WindowGeometry, dy: TypedValue, x: TypedValue): TypedValue {
  const [batch, channels, ...places] = sizesOf(g, dy);
  const apart = reshapeTo(g, dy, [batch, channels, ...places.flatMap((size) => [size, 1])]);
  const wide = expandTo(g, apart, [batch, channels, ...places.flatMap((size, axis) => [size, kernel[axis]])]);
  return reshapeTo(g, wide, sizesOf(g, x));
}

function overlapped(
  g: GraphBuilder,
  geometry: WindowGeometry,
  dy: TypedValue,
  x: TypedValue,
  ceil: boolean,
): TypedValue {
  const { kernel, strides, dilations, before } = geometry;
  const sizes = x.shape.slice(2) as number[];
  const [batch, channels, ...places] = sizesOf(g, dy);
  // Channels are samples here: one kernel for all.
  const images = reshapeTo(g, dy, [
    typeof batch === 'number' && typeof channels === 'number' ? batch * channels : countAlong(g, dy, [0, 1]),
    1,
    ...places,
  ]);
  const ones = g.expand(g.scalar(1, x.type), [1, 1, ...kernel]);
  // How far the windows reach: what is missing at the end gets zeros, what hangs over (ceil_mode) is cut off.
  const reach = sizes.map(
    (size, axis) =>
      (windowCount(geometry, axis, size, ceil) - 1) * strides[axis] + span(kernel[axis], dilations[axis]),
  );
  const spread = g.op('ConvTranspose', [images, ones], { kernel_shape: kernel, strides, dilations });
  const ends = sizes.map((size, axis) => size - reach[axis] + before[axis]);
  const pads = [0, 0, ...before.map((pad) => -pad), 0, 0, ...ends];
  const cut = pads.some((pad) => pad !== 0) ? g.op('Pad', [spread, g.ints(pads)]) : spread;
  return reshapeTo(g, cut, sizesOf(g, x));
}

export const POOLING_RULES: Record<string, GradientRule> = {
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
  AveragePool: averagePool,
  GlobalMaxPool: globalMaxPool,
  GlobalAveragePool: globalAveragePool,
};
