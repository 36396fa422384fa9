import { describe, expect, it } from 'vitest';
import { poolingMatrix } from './places.ts';

const square = (side: number) => ({ height: side, width: side });

describe('poolingMatrix', () => {
  it('takes the mean of every pixel that a place touches, where sizes do not divide', () => {
    // One row of three pixels to two places: each touches the middle one.
    const { data, dims } = poolingMatrix({ height: 1, width: 3 }, { height: 1, width: 2 });
    expect(dims).toEqual([3, 2]);
    expect([...(data as Float32Array)]).toEqual([0.5, 0, 0.5, 0.5, 0, 0.5]);
  });

  it('has shares that sum to 1 for each place, whether images grow or shrink', () => {
    for (const [from, to] of [
      [7, 4],
      [3, 4],
      [4, 4],
      [5, 1],
    ] as const) {
      const { data, dims } = poolingMatrix(square(from), square(to));
      for (let place = 0; place < to ** 2; place++) {
        let sum = 0;
        for (let pixel = 0; pixel < dims[0]!; pixel++) sum += data[pixel * to ** 2 + place] as number;
        expect(sum).toBeCloseTo(1, 6);
      }
    }
  });
});
