/**
 * The matrices of the one-dimensional minimal filtering algorithm F(4, 3): four outputs of a kernel of three by six
 * products instead of twelve. y = A ((G w) * (B x)) for a tile of six inputs.
 *
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.3; in two dimensions the
 * matrices are applied along both axes: 36 products for 16 outputs of a 3x3 kernel instead of 144.
 */
export const TILE = { outputs: 4, inputs: 6, kernel: 3 } as const;

/** [6, 6] */
const B = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
/** [6, 3] */
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
/** [4, 6] */
const A = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** One spatial axis of a convolution of stride 1: its size, and its padding at either end. */
export interface Axis {
  readonly size: number;
  readonly before: number;
  readonly after: number;
}

export function outputsAlong({ size, before, after }: Axis): number {
  return size + before + after - TILE.kernel + 1;
}

export function tilesAlong(axis: Axis): number {
  return Math.ceil(outputsAlong(axis) / TILE.outputs);
}

/** [6 x tiles, size]: B over every tile of an axis, the padding left out; rows are ordered by element, then by tile. */
export function inputTransform(axis: Axis): Float32Array {
  const tiles = tilesAlong(axis);
  const matrix = new Float32Array(TILE.inputs * tiles * axis.size);
  B.forEach((row, element) => {
    for (let tile = 0; tile < tiles; tile++) {
      row.forEach((factor, i) => {
        const at = tile * TILE.outputs + i - axis.before;
        if (at >= 0 && at < axis.size) matrix[(element * tiles + tile) * axis.size + at] = factor;
      });
    }
  });
  return matrix;
}

/** [outputs, 6 x tiles]: A over every tile of an axis; columns are ordered as the rows of `inputTransform`. */
export function outputTransform(axis: Axis): Float32Array {
  const [outputs, tiles] = [outputsAlong(axis), tilesAlong(axis)];
  const width = TILE.inputs * tiles;
  const matrix = new Float32Array(outputs * width);
  for (let at = 0; at < outputs; at++) {
    const [tile, row] = [Math.floor(at / TILE.outputs), A[at % TILE.outputs]];
    row.forEach((factor, element) => {
      matrix[at * width + element * tiles + tile] = factor;
    });
  }
  return matrix;
}

/** [36, 9]: G along both axes of a 3x3 kernel. */
export function kernelTransform(): Float32Array {
  const columns = G.flatMap((down) => G.map((across) => down.flatMap((a) => across.map((b) => a * b))));
  return Float32Array.from(columns.flat());
}
