import { floatAttribute, intAttribute, type Node, stringAttribute } from './graph.ts';

/** One axis that a Resize changes. */
export interface ResizedAxis {
  readonly axis: number;
  /** Sizes before and after. */
  readonly from: number;
  readonly to: number;
  /** What coordinates are divided by: the scale that was given, or to / from. */
  readonly scale: number;
  /** Start and end of the region of interest, for `tf_crop_and_resize`. */
  readonly roi?: readonly [number, number];
}

const { fround } = Math;

/** The place in the input that output element `at` looks at (float32, as ONNX Runtime computes it: ties depend on it). */
type Coordinate = (at: number, axis: ResizedAxis) => number;

const halfPixel: Coordinate = (at, { scale }) => fround(fround(fround(at + 0.5) / fround(scale)) - 0.5);

/** ONNX operator specification, Resize, attribute `coordinate_transformation_mode`. */
const COORDINATES: Readonly<Record<string, Coordinate>> = {
  half_pixel: halfPixel,
  pytorch_half_pixel: (at, axis) => (axis.to > 1 ? halfPixel(at, axis) : 0),
  half_pixel_symmetric: (at, axis) => {
    const adjustment = axis.to / (axis.scale * axis.from);
    return fround((axis.from / 2) * (1 - adjustment) + halfPixel(at, axis));
  },
  align_corners: (at, { from, to }) => (to === 1 ? 0 : fround(fround(at * (from - 1)) / (to - 1))),
  asymmetric: (at, { scale }) => fround(at / fround(scale)),
  tf_crop_and_resize: (at, { from, to, roi = [0, 1] }) => {
    const [start, end] = roi;
    return to > 1
      ? start * (from - 1) + (at * (end - start) * (from - 1)) / (to - 1)
      : 0.5 * (start + end) * (from - 1);
  },
};

/** Which element is nearest, by attribute `nearest_mode`. */
const NEAREST: Readonly<Record<string, (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** How much an element at a distance counts. */
type Kernel = (distance: number) => number;

const triangle: Kernel = (distance) => Math.max(0, 1 - Math.abs(distance));

/** Keys, "Cubic convolution interpolation for digital image processing" (1981), with his parameter a. */
const cubic =
  (a: number): Kernel =>
  (distance) => {
    const d = Math.abs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };

/** A pair of sizes is a few bytes in a file. */
const MAX_MATRIX = 2 ** 24;

/**
 * The matrix [to, from] (row-major) by which a Resize node multiplies the vectors along one axis; undefined for a mode
 * that is not known, and for sizes whose matrix would be too large. Elements outside are those at the edge; with `exclude_outside` they do not count.
 *
 * ONNX operator specification, Resize. With `antialias` the kernel is stretched over the elements that fall together.
 */
export function interpolationMatrix(
  node: Pick<Node, 'attributes'>,
  resized: ResizedAxis,
): Float64Array | undefined {
  const { from, to, scale } = resized;
  const mode = stringAttribute(node, 'mode', 'nearest');
  const cropped =
    stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
  const coordinate = COORDINATES[stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel')];
  const nearest = NEAREST[stringAttribute(node, 'nearest_mode', 'round_prefer_floor')];
  if (!coordinate || !nearest) return undefined;
  if (to * from > MAX_MATRIX) return undefined;
  const matrix = new Float64Array(to * from);
  const edge = (place: number) => Math.min(Math.max(place, 0), from - 1);
  const kernel =
    mode === 'linear'
      ? triangle
      : mode === 'cubic'
        ? cubic(floatAttribute(node, 'cubic_coeff_a', -0.75))
        : undefined;
  if (!kernel && mode !== 'nearest') return undefined;
  const stretch = intAttribute(node, 'antialias', 0) === 1 && scale < 1 ? scale : 1;
  const excludes = intAttribute(node, 'exclude_outside', 0) === 1;
  const reach = (mode === 'cubic' ? 2 : 1) / stretch;
  for (let at = 0; at < to; at++) {
    const place = coordinate(at, resized);
    // What lies outside of the region is a constant (`extrapolation_value`).
    if (cropped && (place < 0 || place > from - 1)) continue;
    if (!kernel) {
      matrix[at * from + edge(nearest(place))] = 1;
      continue;
    }
    let sum = 0;
    const taps: [number, number][] = [];
    for (let tap = Math.ceil(place - reach); tap <= Math.floor(place + reach); tap++) {
      const inside = tap >= 0 && tap < from;
      if (excludes && !inside) continue;
      const weight = kernel((tap - place) * stretch);
      sum += weight;
      taps.push([edge(tap), weight]);
    }
    for (const [tap, weight] of taps) matrix[at * from + tap] += weight / sum;
  }
  return matrix;
}
