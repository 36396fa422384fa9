import type { TypedValue } from '../../onnx/graph.ts';
import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { interpolationMatrix, type ResizedAxis } from '../../onnx/interpolation.ts';
import { isKnown, type ResizeAxis, resizeAxes } from '../../onnx/resize-geometry.ts';
import { tensor, toNumbers } from '../../onnx/tensor.ts';
import { range } from '../broadcast.ts';
import { type GradientRule, UnsupportedGradient } from '../rule.ts';
import { addSizes, expandTo, product, reshapeTo, type Size, sizesOf } from '../sizes.ts';
import { byFormula, type Formula } from './by-formula.ts';

/**
 * Every axis is multiplied by a constant matrix, so its gradient is a product with the matrix transposed. Nearest
 * elements that are each repeated as often are expanded, whose gradient is a sum; for that the sizes need not be known.
 */
const resize: Formula = (g, node, inputs) => {
  const [x] = inputs as TypedValue[];
  const numbers = (index: number) => {
    const value = inputs[index];
    const content = value && g.constantOf(value);
    return content ? toNumbers(content) : undefined;
  };
  // Sizes that an exporter computes from shapes are told by the shape that inference found.
  const sizes =
    numbers(3) ?? (inputs[3] && !intsAttribute(node, 'axes') ? node.outputs[0]?.shape : undefined);
  const axes = resizeAxes(node, x.shape, { roi: numbers(1), scales: numbers(2), sizes });
  if (!axes) throw new UnsupportedGradient('neither its scales nor its sizes are constant');
  return axes.reduce((value, axis) => {
    if (axis.scale === 1 && axis.from === axis.to) return value;
    const times = repetitions(node, axis);
    if (times) return repeated(g, value, axis.axis, times);
    if (!isKnown(axis)) throw new UnsupportedGradient(`the size of axis ${axis.axis} is not known`);
    return interpolated(g, node, value, axis);
  }, x);
};

type Attributed = Parameters<Formula>[1];

/** How often each element is repeated where the nearest one is taken and the scale is whole; else 0. */
function repetitions(node: Attributed, { scale }: ResizeAxis): number {
  if (stringAttribute(node, 'mode', 'nearest') !== 'nearest' || intAttribute(node, 'antialias', 0) === 1)
    return 0;
  if (scale === undefined || !Number.isInteger(scale)) return 0;
  const coordinates = stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel');
  const nearest = stringAttribute(node, 'nearest_mode', 'round_prefer_floor');
  const floors = coordinates === 'asymmetric' && nearest === 'floor';
  const rounds = coordinates.startsWith('half_pixel') && nearest.startsWith('round');
  return floors || rounds ? scale : 0;
}

/** Each element of an axis several times in a row. */
function repeated(g: GraphBuilder, x: TypedValue, axis: number, times: number): TypedValue {
  const sizes = sizesOf(g, x);
  const wide = expandTo(g, g.unsqueeze(x, [axis + 1]), [
    ...sizes.slice(0, axis + 1),
    times,
    ...sizes.slice(axis + 1),
  ]);
  const longer = range(times)
    .map((): Size => sizes[axis])
    .reduce((a, b) => addSizes(g, a, b));
  return reshapeTo(
    g,
    wide,
    sizes.map((size, i) => (i === axis ? longer : size)),
  );
}

function interpolated(g: GraphBuilder, node: Attributed, x: TypedValue, resized: ResizedAxis): TypedValue {
  const { axis, from, to } = resized;
  const matrix = interpolationMatrix(node, resized);
  if (!matrix)
    throw new UnsupportedGradient(`mode ${stringAttribute(node, 'mode', 'nearest')} from ${from} to ${to}`);
  const weights = g.cast(g.constant(tensor('float32', [to, from], Float32Array.from(matrix))), x.type);
  const sizes = sizesOf(g, x);
  const [before, after] = [product(g, sizes.slice(0, axis)), product(g, sizes.slice(axis + 1))];
  const moved =
    after === 1
      ? g.matMul(reshapeTo(g, x, [before, from]), g.transpose(weights, [1, 0]))
      : g.matMul(weights, reshapeTo(g, x, [before, from, after]));
  return reshapeTo(
    g,
    moved,
    sizes.map((size, i) => (i === axis ? to : size)),
  );
}

/** Regions, scales and sizes have no gradient. */
export const RESIZE_RULES: Record<string, GradientRule> = {
  Resize: byFormula(resize, [0]),
};
