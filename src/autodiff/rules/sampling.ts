import { intAttribute, stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { elementCount, tensor, toNumbers } from '../../onnx/tensor.ts';
import { range } from '../broadcast.ts';
import { type GradientRule, UnsupportedGradient } from '../rule.ts';
import { expandTo, product, reshapeTo, sizesOf } from '../sizes.ts';
import { stopGradient } from '../stop-gradient.ts';
import { byFormula, type Formula } from './by-formula.ts';

/** One place that a sample reads along an axis, and how much it counts. */
interface Tap {
  readonly place: TypedValue;
  /** undefined: 1. */
  readonly weight: TypedValue | undefined;
}

/** What lies outside of [low, high] mirrored back into it, as often as it takes. */
function reflected(g: GraphBuilder, x: TypedValue, low: number, high: number): TypedValue {
  const length = high - low;
  if (length === 0) return g.mul(x, 0);
  const off = g.abs(g.sub(x, low));
  const turns = g.op('Floor', [g.div(off, length)]);
  const rest = g.sub(off, g.mul(turns, length));
  const odd = g.sub(turns, g.mul(g.op('Floor', [g.mul(turns, 0.5)]), 2));
  return g.add(g.add(g.mul(g.sub(1, odd), rest), g.mul(odd, g.sub(length, rest))), low);
}

/** Limited to [0, high]; with slope 0 from the bounds on, as in PyTorch. */
function heldIn(g: GraphBuilder, x: TypedValue, high: number): TypedValue {
  const within = g.and(g.greater(x, 0), g.less(x, high));
  return g.where(within, x, stopGradient(g, g.clip(x, 0, high)));
}

/** The four weights of a cubic convolution (Keys, 1981) with a = -0.75, for a place `t` after the second one. */
function cubicWeights(g: GraphBuilder, t: TypedValue): TypedValue[] {
  const a = -0.75;
  const polynomial = (x: TypedValue, [c3, c2, c1, c0]: readonly number[]) =>
    g.add(g.mul(g.add(g.mul(g.add(g.mul(x, c3), c2), x), c1), x), c0);
  const [near, far] = [
    [a + 2, -(a + 3), 0, 1],
    [a, -5 * a, 8 * a, -4 * a],
  ];
  const back = g.sub(1, t);
  return [
    polynomial(g.add(t, 1), far),
    polynomial(t, near),
    polynomial(back, near),
    polynomial(g.add(back, 1), far),
  ];
}

function tapsOf(g: GraphBuilder, mode: string, at: TypedValue): Tap[] {
  if (mode === 'nearest') return [{ place: g.op('Round', [at]), weight: undefined }];
  const first = g.op('Floor', [at]);
  const t = g.sub(at, first);
  if (mode === 'linear' || mode === 'bilinear')
    return [
      { place: first, weight: g.sub(1, t) },
      { place: g.add(first, 1), weight: t },
    ];
  if (mode !== 'cubic' && mode !== 'bicubic') throw new UnsupportedGradient(`mode ${mode}`);
  return cubicWeights(g, t).map((weight, i) => ({ place: g.add(first, i - 1), weight }));
}

/**
 * Samples x [N, C, ...] at the places of grid [N, ..., axes], which run from -1 to 1 (Jaderberg et al., "Spatial
 * Transformer Networks", 2015): a sum of elements taken by index, times weights that depend on the grid.
 */
const gridSample: Formula = (g, node, inputs) => {
  const [x, grid] = inputs as TypedValue[];
  const mode = stringAttribute(node, 'mode', 'linear');
  const padding = stringAttribute(node, 'padding_mode', 'zeros');
  const aligned = intAttribute(node, 'align_corners', 0) === 1;
  const lengths = x.shape.slice(2);
  if (!lengths.every((size) => typeof size === 'number'))
    throw new UnsupportedGradient('sizes that are not known');
  const [batch, channels] = sizesOf(g, x);
  const samples = product(g, sizesOf(g, grid).slice(1, -1));
  const rank = lengths.length;
  const rows = reshapeTo(g, x, [batch, channels, elementCount(lengths)]);
  const places = reshapeTo(g, grid, [batch, 1, samples, rank]);

  // The last coordinate is that of the first spatial axis.
  const tapsByAxis = lengths.map((size, axis) => {
    const coordinate = g.squeeze(g.slice(places, 3, rank - 1 - axis, rank - axis), [3]);
    const [low, high] = aligned ? [0, size - 1] : [-0.5, size - 0.5];
    // Rounded as in PyTorch: a regular grid meets pixels exactly, where the slope changes.
    const from0 = g.add(coordinate, 1);
    const plain = aligned ? g.mul(from0, (size - 1) / 2) : g.mul(g.sub(g.mul(from0, size), 1), 0.5);
    const inside = (value: TypedValue) => {
      if (padding === 'border') return heldIn(g, value, size - 1);
      return padding === 'reflection' ? heldIn(g, reflected(g, value, low, high), size - 1) : value;
    };
    const moved = mode.endsWith('cubic') ? plain : inside(plain);
    return tapsOf(g, mode, moved).map(({ place, weight }) => {
      const held = padding === 'zeros' ? g.clip(place, 0, size - 1) : inside(place);
      const counts = padding === 'zeros' ? g.cast(g.equal(held, place), x.type) : undefined;
      const both = counts && weight ? g.mul(counts, weight) : (counts ?? weight);
      return { place: held, weight: both };
    });
  });

  const count = tapsByAxis.reduce((product, taps) => product * taps.length, 1);
  if (count > MAX_TAPS) throw new UnsupportedGradient(`${mode} over ${rank} axes`);
  const parts = combinations(tapsByAxis).map((taps) => {
    const index = taps.reduce<TypedValue | undefined>(
      (flat, { place }, axis) => (flat ? g.add(g.mul(flat, lengths[axis]), place) : place),
      undefined,
    ) as TypedValue;
    const at = expandTo(g, g.cast(index, 'int64'), [batch, channels, samples]);
    const taken = g.gatherElements(rows, at, 2);
    return taps.reduce((value, { weight }) => (weight ? g.mul(value, weight) : value), taken);
  });
  const sum = parts.length === 1 ? parts[0] : g.op('Sum', parts);
  return reshapeTo(g, sum, [batch, channels, ...sizesOf(g, grid).slice(1, -1)]);
};

/** Cubic over three axes takes 64. */
const MAX_TAPS = 1024;

/** One of each list, in every way. */
function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>(
    (found, list) => found.flatMap((some) => list.map((one) => [...some, one])),
    [[]],
  );
}

/** The places that a matrix theta [N, axes, axes + 1] moves those of a regular grid to: a product with a constant. */
const affineGrid: Formula = (g, node, inputs) => {
  const [theta, size] = inputs as TypedValue[];
  const content = g.constantOf(size);
  if (!content) throw new UnsupportedGradient('its size is not constant');
  const [batch, , ...lengths] = toNumbers(content);
  const aligned = intAttribute(node, 'align_corners', 0) === 1;
  const place = (at: number, length: number) =>
    aligned ? (length === 1 ? 0 : (2 * at) / (length - 1) - 1) : (2 * at + 1) / length - 1;
  range(elementCount(lengths));
  const points = combinations(lengths.map((length) => range(length).map((at) => place(at, length))));
  const homogeneous = points.flatMap((point) => [...point.reverse(), 1]);
  const base = tensor('float32', [points.length, lengths.length + 1], Float32Array.from(homogeneous));
  const moved = g.matMul(g.cast(g.constant(base), theta.type), g.transpose(theta, [0, 2, 1]));
  return g.reshape(moved, [batch, ...lengths, lengths.length]);
};

export const SAMPLING_RULES: Record<string, GradientRule> = {
  GridSample: byFormula(gridSample),
  AffineGrid: byFormula(affineGrid, [0]),
};
