import { roundHalfToEven, weightNotFinite } from './int8.ts';

/** How weights of 4 bits are kept: blocks of the weights of one output, each with a scale of its own. */
export interface BlockwiseForm {
  /** Weights that share a scale, at most. */
  readonly block: 16 | 32 | 64 | 128;
  /** Whether each block has a zero point beside its scale; without it levels lie around 0. */
  readonly zeroPoints: boolean;
}

/** How weights of 4 bits are kept, and where they become float32. */
export interface FourBitForm extends BlockwiseForm {
  /**
   * `load`: ordinary operators over constants, which ONNX Runtime computes once, as it loads the model: then it is as fast as the
   * float32 file, and takes as much memory. `run`: in each product (com.microsoft::MatMulNBits) and lookup
   * (com.microsoft::GatherBlockQuantized), where memory counts more than time; of convolutions, for which there is no such
   * operator, when they are loaded.
   */
  readonly expand: 'load' | 'run';
}

/**
 * How a block's scale is found: `least-error`, among a few that clip its largest weights, or `largest`, its largest weight over 7, which is
 * what a training with the roundings computes in each step (`fake-blocks.ts`); levels are then 1 to 15. Or the scales of all blocks, where
 * a training has learnt them; levels are then 0 to 15.
 */
export type ScaleRule = 'least-error' | 'largest' | Float32Array;

/** A matrix [rows, columns] in levels of 4 bits: rows of blocks, the last of a row filled up with zeros. */
export interface Blocks {
  readonly rows: number;
  readonly columns: number;
  /** Blocks in a row, and levels in a block. */
  readonly count: number;
  readonly width: number;
  /** 0 to 15, one a byte: [rows, count, width]. */
  readonly levels: Uint8Array;
  /** float32 [rows, count]. */
  readonly scales: Float32Array;
  /** The levels of 0: [rows, count]. */
  readonly zeroPoints: Uint8Array;
}

/** The level of 0, where blocks have no zero points of their own. */
export const MIDDLE = 8;
const HIGHEST = 15;
/** How far levels reach on both sides of the middle. */
export const LARGEST_LEVEL = 7;

/**
 * How much of a block's range levels reach, tried one after another: clipping the largest weight a little makes all others
 * finer.
 */
const REACHES = [1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.75, 0.7];

/** The width of blocks that share a row out evenly, where no operator asks for whole ones: 45 weights are 23 and 22. */
export function evenWidth(columns: number, block: number): number {
  return Math.ceil(columns / Math.ceil(columns / block));
}

/**
 * A [rows, columns] matrix in 4 bits: real = scale * (level - zero point). Each block has the scale, among a few that clip its
 * largest weights by up to 30 %, that leaves the least squared error (compare the search for a clip of Lin et al., "AWQ", 2024,
 * here without activations).
 *
 * @param width of blocks
 * @throws LimbeckError `export.weights` when a weight is not finite; `name` names the matrix.
 */
export function quantizeBlocks(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  width: number,
  options: {
    readonly name: string;
    readonly zeroPoints: boolean;
    readonly scales?: ScaleRule;
  },
): Blocks {
  const { name, scales: rule = 'least-error' } = options;
  const count = Math.ceil(columns / width);
  const levels = new Uint8Array(rows * count * width);
  const scales = new Float32Array(rows * count);
  const zeroPoints = new Uint8Array(rows * count);
  for (let at = 0; at < rows * count; at++) {
    const row = Math.floor(at / count);
    const column = (at % count) * width;
    const from = row * columns + column;
    const weights = values.subarray(from, Math.min(from + width, (row + 1) * columns));
    const broken = weights.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) throw weightNotFinite(name, row, column + broken, weights[broken] as number);
    const grid =
      typeof rule !== 'string'
        ? { scale: rule[at] as number, zeroPoint: MIDDLE, lowest: 0 }
        : rule === 'largest'
          ? largestGrid(weights)
          : options.zeroPoints
            ? affineGrid(weights)
            : symmetricGrid(weights);
    scales[at] = grid.scale;
    zeroPoints[at] = grid.zeroPoint;
    for (let i = 0; i < width; i++)
      levels[at * width + i] = i < weights.length ? levelOf(weights[i] as number, grid) : grid.zeroPoint;
  }
  return { rows, columns, count, width, levels, scales, zeroPoints };
}

/** The numbers that a 4-bit matrix stands for, [rows, columns]. */
export function dequantizeBlocks({
  rows,
  columns,
  count,
  width,
  levels,
  scales,
  zeroPoints,
}: Blocks): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const at = row * count + Math.floor(column / width);
    const level = levels[at * width + (column % width)] as number;
    return (level - (zeroPoints[at] as number)) * (scales[at] as number);
  });
}

/** Numbers of 4 bits in rows, two a byte: the earlier one in the lower half, each row in whole bytes. */
export function packPairs(numbers: Uint8Array, rowLength: number): Uint8Array {
  const rows = numbers.length / rowLength;
  const bytes = Math.ceil(rowLength / 2);
  const packed = new Uint8Array(rows * bytes);
  for (let i = 0; i < numbers.length; i++) {
    const [row, column] = [Math.floor(i / rowLength), i % rowLength];
    const place = row * bytes + (column >> 1);
    packed[place] = (packed[place] as number) | ((numbers[i] as number) << (4 * (column & 1)));
  }
  return packed;
}

/** Numbers of 4 bits, two a byte: the first half of them in lower halves, the second half (a row shorter, perhaps) in upper ones. */
export function packHalves(numbers: Uint8Array, rowLength: number): Uint8Array {
  const rows = numbers.length / rowLength;
  const half = Math.ceil(rows / 2) * rowLength;
  return Uint8Array.from(
    { length: half },
    (_, i) => (numbers[i] as number) | ((numbers[half + i] ?? 0) << 4),
  );
}

interface Grid {
  /** Other than 0. */
  readonly scale: number;
  readonly zeroPoint: number;
  /** The lowest level that is used. */
  readonly lowest: number;
}

function levelOf(weight: number, { scale, zeroPoint, lowest }: Grid): number {
  // Rounded as in a training step that computes the same (`fake-numbers.ts`).
  const level = roundHalfToEven(Math.fround(weight / scale)) + zeroPoint;
  return Math.min(HIGHEST, Math.max(lowest, level));
}

/** Levels around 0. Of -8 to 7 the side that reaches further is given to the largest weight, by the sign of the scale. */
function symmetricGrid(weights: Float32Array): Grid {
  let largest = 0;
  for (const weight of weights) if (Math.abs(weight) > Math.abs(largest)) largest = weight;
  const grids = REACHES.map((reach): Grid => {
    const scale = usable(Math.fround((-largest * reach) / MIDDLE));
    return { scale, zeroPoint: MIDDLE, lowest: 0 };
  });
  return leastError(weights, grids);
}

/** Levels around 0 to the same distance on both sides. */
function largestGrid(weights: Float32Array): Grid {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  return { scale: usable(Math.fround(largest / LARGEST_LEVEL)), zeroPoint: MIDDLE, lowest: 1 };
}

/** Levels from the least to the largest weight, 0 among them. */
function affineGrid(weights: Float32Array): Grid {
  let [low, high] = [0, 0];
  for (const weight of weights) {
    if (weight < low) low = weight;
    if (weight > high) high = weight;
  }
  const grids = REACHES.map((reach): Grid => {
    const scale = usable(Math.fround(((high - low) * reach) / HIGHEST));
    const zeroPoint = Math.min(HIGHEST, Math.max(0, Math.round((-low * reach) / scale)));
    return { scale, zeroPoint, lowest: 0 };
  });
  return leastError(weights, grids);
}

function usable(scale: number): number {
  return Math.abs(scale) >= 2 ** -126 ? scale : 1;
}

function leastError(weights: Float32Array, grids: readonly Grid[]): Grid {
  let best = grids[0] as Grid;
  let least = Number.POSITIVE_INFINITY;
  for (const grid of grids) {
    let error = 0;
    for (const weight of weights) {
      const off = weight - (levelOf(weight, grid) - grid.zeroPoint) * grid.scale;
      error += off * off;
    }
    if (error < least) [least, best] = [error, grid];
  }
  return best;
}
