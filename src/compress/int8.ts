import { LimbeckError } from '../errors.ts';

/** The nearest whole number; of two, the even one: how ONNX Runtime rounds. */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** real = scale * (quantised - zeroPoint), quantised in 0..255. */
export interface AffineParameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * uint8 parameters for values in [min, max]. The range is widened to hold 0, so that zeros (padding, ReLU) stay
 * exact; a range of nothing gives scale 1. Rounding costs at most scale / 2 inside the range. Every operation is one of
 * float32, as in the graph of a training step that computes the same (`fake-numbers.ts`).
 *
 * Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018.
 */
export function affineUint8(min: number, max: number): AffineParameters {
  const low = Math.fround(Math.min(min, 0));
  const high = Math.fround(Math.max(max, 0));
  // The scale is stored as float32: rounded here, so that the zero point fits the scale that runs. A range below
  // the smallest normal float32 would round to scale 0.
  const scale = Math.fround(Math.fround(high - low) / 255);
  if (!(scale >= 2 ** -126)) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.min(255, Math.max(0, roundHalfToEven(Math.fround(-low / scale)))) };
}

/** Rows x columns of int8 with a scale per row, per column or for all. */
export interface Int8Matrix {
  /** Row-major, [rows, columns]. */
  readonly data: Int8Array;
  /** float32, one for each `per`. */
  readonly scales: Float32Array;
}

export type Granularity = 'row' | 'column' | 'tensor';

/**
 * Symmetric int8 of a [rows, columns] matrix: real = scale * q, q in -levels..levels. A row, column or matrix of
 * zeros gets scale 1.
 *
 * @param fixedScales of each row, column or matrix, where they are known already (learnt)
 * @param leastScales of each row, column or matrix; a larger one is used where its weights ask for it
 * @param levels 127; 63 keeps sums of two products inside int16, for processors without VNNI (ORT's `reduce_range`).
 * @throws LimbeckError `export.weights` when a weight is not finite; `name` names the matrix.
 */
export function quantizeMatrix(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  per: Granularity,
  options: {
    levels?: number;
    name?: string;
    leastScales?: ArrayLike<number>;
    fixedScales?: Float32Array | undefined;
  } = {},
): Int8Matrix {
  const { levels = 127, name = 'weights', leastScales, fixedScales } = options;
  const groups = per === 'row' ? rows : per === 'column' ? columns : 1;
  const groupOf = (row: number, column: number) => (per === 'row' ? row : per === 'column' ? column : 0);
  const scales = new Float32Array(groups);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const size = Math.abs(values[i]);
      if (!Number.isFinite(size)) throw weightNotFinite(name, row, column, values[i]);
      const group = groupOf(row, column);
      if (size > scales[group]) scales[group] = size;
    }
  }
  for (let group = 0; group < groups; group++) {
    const scale = Math.fround(Math.max(scales[group] / levels, leastScales?.[group] ?? 0));
    scales[group] = scale >= 2 ** -126 ? scale : 1;
  }
  if (fixedScales) scales.set(fixedScales);
  const data = new Int8Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const level = roundHalfToEven(Math.fround(values[i] / scales[groupOf(row, column)]));
      data[i] = Math.min(levels, Math.max(-levels, level));
    }
  }
  return { data, scales };
}

/** A weight that is no number, by its place in a matrix. */
export function weightNotFinite(name: string, row: number, column: number, value: number): LimbeckError {
  return new LimbeckError('export.weights', `'${name}' holds ${value} and cannot be quantised`, {
    where: `'${name}', row ${row}, column ${column}`,
    remedy: 'Train with a smaller learning rate or a lower maxGradNorm, or export in float32 alone.',
  });
}
