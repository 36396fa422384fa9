import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { collectRanges, type Feeds } from './calibrate.ts';
import { chooseRange } from './range.ts';

const engine = createNodeEngine({ threads: 1 });

/** y = 2 x and the same flattened to [B * T, 2]. */
function doubling(): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 'sequence', 2]);
  g.input('mask', 'int64', ['batch', 'sequence']);
  const y = g.op('Mul', [x, g.scalar(2)], {}, { name: 'doubled' });
  g.output(g.op('Reshape', [y, g.ints([-1, 2])], {}, { name: 'flat' }));
  return g.build();
}

const batch = (values: number[], mask: number[]) => ({
  x: float32(values, [1, mask.length, 2]),
  mask: int64(mask, [1, mask.length]),
});

describe('collectRanges', () => {
  it('sees inputs and inner values, over all batches', async () => {
    const batches = [batch([1, -1, 0, 3], [1, 1]), batch([-4, 0], [1])];
    const ranges = await collectRanges(doubling(), ['x', 'doubled'], engine, batches);
    expect(ranges.get('x')).toMatchObject({ min: -4, max: 3 });
    expect(ranges.get('doubled')).toMatchObject({ min: -8, max: 6 });
    expect(ranges.get('doubled')?.histogram.count).toBe(6);
  });

  it('takes batches as they come, one at a time', async () => {
    async function* stream() {
      yield batch([1, 2], [1]);
      yield batch([3, 4], [1]);
    }
    expect((await collectRanges(doubling(), ['doubled'], engine, stream())).get('doubled')?.max).toBe(8);
  });

  it('leaves out what the mask hides, NaN included, in [B, T, D] and in [B * T, D]', async () => {
    const batches = [batch([1, -1, 2, 0, 1000, Number.NaN], [1, 1, 0]), batch([-9000, 9, 0, 1], [0, 1])];
    const names = ['doubled', 'flat'];
    const ranges = await collectRanges(doubling(), names, engine, batches, { mask: 'mask' });
    for (const name of names) expect(ranges.get(name)).toMatchObject({ min: -2, max: 4 });
  });

  it('names the value and place of a NaN or an infinity', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const batches = [batch([1, 2], [1]), batch([1, bad], [1])];
      await expect(collectRanges(doubling(), ['doubled'], engine, batches)).rejects.toMatchObject({
        code: 'export.calibration',
        message: `'doubled' became ${bad} during calibration`,
        where: 'batch 1, element 1 of [1, 1, 2]',
      });
    }
  });

  it('refuses to calibrate without data', async () => {
    const error = { code: 'export.calibration' };
    await expect(collectRanges(doubling(), ['doubled'], engine, [])).rejects.toMatchObject(error);
    const masked = [batch([1, 2], [0])];
    const options = { mask: 'mask' };
    await expect(collectRanges(doubling(), ['doubled'], engine, masked, options)).rejects.toMatchObject(
      error,
    );
  });

  it('throws for a name that the graph does not have', async () => {
    await expect(collectRanges(doubling(), ['nothing'], engine, [])).rejects.toThrow(
      "no value called 'nothing'",
    );
  });
});

describe('chooseRange', () => {
  /** 9,999 values in [0, 1) and one outlier. */
  async function observed(outlier: number) {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => (i === 5000 ? outlier : i / 10_000));
    const feeds = { x: float32(values, [1, 5000, 2]), mask: int64(new Array(5000).fill(1), [1, 5000]) };
    const range = (await collectRanges(doubling(), ['x'], engine, [feeds])).get('x');
    if (!range) throw new Error('no range');
    return range;
  }

  it('keeps everything by min-max, and cuts rare outliers by percentile', async () => {
    const range = await observed(50);
    expect(chooseRange(range, { kind: 'min-max' })).toEqual([0, 50]);
    const [low, high] = chooseRange(range, { kind: 'percentile', fraction: 0.999 });
    expect(low).toBeCloseTo(0, 1);
    expect(high).toBeGreaterThan(0.9);
    expect(high).toBeLessThan(1.1);
  });

  it('cuts an outlier by mse only when that gains more than it loses', async () => {
    const near = await observed(1.5);
    const [, wide] = chooseRange(near, { kind: 'mse' });
    expect(wide).toBeGreaterThan(0.9);
    const far = await observed(50);
    const [low, high] = chooseRange(far, { kind: 'mse' });
    expect(far.histogram.clippingError(low, high)).toBeLessThanOrEqual(far.histogram.clippingError(0, 50));
    // Losing 50 on one of 10,000 values costs 0.25; rounding in steps of 50 / 255 only 0.003.
    expect(high).toBeGreaterThan(40);
  });
});

it('holds few values at once, and sees all of them', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2]);
  const values = Array.from({ length: 9 }, (_, i) => g.mul(x, g.constant(float32([i + 1]))));
  for (const value of values) g.output(value);
  const asked: number[] = [];
  const engine = createNodeEngine();
  const counting = {
    load: async (...args: Parameters<typeof engine.load>) => {
      const session = await engine.load(...args);
      return {
        ...session,
        release: () => session.release(),
        run: (feeds: Feeds, fetches: Record<string, null> = {}) => {
          asked.push(Object.keys(fetches).length);
          return session.run(feeds, fetches);
        },
      };
    },
  };
  const names = values.map(({ name }) => name);
  const batches = [{ x: float32([1, -1]) }, { x: float32([2, 0]) }];
  const ranges = await collectRanges(g.build(), names, counting as typeof engine, batches);
  expect(names.map((name) => [ranges.get(name)?.min, ranges.get(name)?.max])).toEqual(
    values.map((_, i) => [-(i + 1), 2 * (i + 1)]),
  );
  expect(asked).toEqual([4, 5, 9]);
});
