import { randomStream } from '../random.ts';

const ITERATIONS = 12;

/**
 * The `count` orthonormal axes along which rows [n, width] vary most around 0, each row counted by its weight: float32
 * [count, width], the strongest first. By subspace iteration (Bauer, 1957) on the matrix of second moments.
 */
export function principalAxes(
  rows: Float32Array,
  width: number,
  count: number,
  weights: ArrayLike<number>,
): Float32Array {
  const moments = secondMoments(rows, width, weights);
  const random = randomStream(0, 'principal axes');
  let axes = Float64Array.from({ length: count * width }, () => random.normal());
  orthonormalize(axes, width);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const turned = new Float64Array(axes.length);
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < width; i++) {
        const part = axes[k * width + i]!;
        for (let j = 0; j < width; j++) turned[k * width + j]! += part * moments[i * width + j]!;
      }
    }
    axes = turned;
    orthonormalize(axes, width);
  }
  return Float32Array.from(axes);
}

function secondMoments(rows: Float32Array, width: number, weights: ArrayLike<number>): Float64Array {
  const moments = new Float64Array(width * width);
  for (let row = 0; row < rows.length / width; row++) {
    const weight = weights[row] as number;
    for (let i = 0; i < width; i++) {
      const part = weight * rows[row * width + i]!;
      for (let j = 0; j < width; j++) moments[i * width + j]! += part * rows[row * width + j]!;
    }
  }
  return moments;
}

/** Modified Gram-Schmidt, twice, which is as good as a QR decomposition. A row that depends on others becomes 0. */
function orthonormalize(axes: Float64Array, width: number): void {
  for (let k = 0; k < axes.length / width; k++) {
    const own = axes.subarray(k * width, (k + 1) * width);
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < k; other++) {
        const axis = axes.subarray(other * width, (other + 1) * width);
        let along = 0;
        for (let j = 0; j < width; j++) along += own[j]! * axis[j]!;
        for (let j = 0; j < width; j++) own[j]! -= along * axis[j]!;
      }
    }
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < width; j++) own[j] = length > 1e-12 ? own[j]! / length : 0;
  }
}
