import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type MetricsRow, readCurve, readMetricsLog } from './metrics-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-metrics-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(content: string) {
  const path = join(folder, 'metrics.jsonl');
  writeFileSync(path, content);
  const broken: number[] = [];
  const rows: MetricsRow[] = [];
  for await (const row of readMetricsLog(path, (line) => broken.push(line))) rows.push(row);
  return { rows, broken };
}

describe('readMetricsLog', () => {
  it('reads rows, and leaves out a last line that is cut', async () => {
    const { rows, broken } = await read('{"stage":"train","step":1}\n\n{"stage":"train","st');
    expect(rows).toEqual([{ stage: 'train', step: 1 }]);
    expect(broken).toEqual([3]);
  });

  it('leaves out what is no object, and values that are neither number nor text', async () => {
    const { rows, broken } = await read('[1]\nnull\n{"step":2,"extra":{"a":1}}\n');
    expect(rows).toEqual([{ step: 2 }]);
    expect(broken).toEqual([1, 2]);
  });

  it('has no rows of an empty file', async () => {
    expect(await read('')).toEqual({ rows: [], broken: [] });
  });
});

describe('readCurve', () => {
  it('takes one stage, with its terms by name', async () => {
    const row = {
      epoch: 1,
      seconds: 2.5,
      learning_rate: 0.1,
      loss: 3,
      'loss/kd': 4,
      grad_norm: 2,
      'grad_norm/kd': 1,
    };
    const curve = await readCurve(
      [
        { stage: 'baseline', step: 10, loss: 9 },
        { stage: 'train', step: 10, ...row, 'validation/accuracy': 0.5, 'validation/loss': 7 },
      ],
      'train',
    );
    expect(curve).toEqual([
      {
        step: 10,
        seconds: 2.5,
        losses: { total: 3, kd: 4 },
        gradientNorms: { total: 2, kd: 1 },
        validationAccuracy: 0.5,
        learningRate: 0.1,
      },
    ]);
  });

  it('takes weights with their causes and coefficients, where there are any', async () => {
    const rows = [
      {
        stage: 'train',
        step: 1,
        'weight/kd': 0.9,
        'cause/complexity': 0.4,
        'cause/effect/kd': -0.1,
        'alpha/kd': 2,
        'gamma/kd': 3,
      },
    ];
    const [point] = await readCurve(rows, 'train');
    expect(point).toMatchObject({
      weights: { kd: 0.9 },
      causes: { complexity: 0.4, 'effect/kd': -0.1 },
      coefficients: { 'alpha/kd': 2, 'gamma/kd': 3 },
    });
  });

  it('takes the later of rows that a resumed run wrote again', async () => {
    const rows = [1, 2, 3, 2, 3, 4].map((step, index) => ({
      stage: 'train',
      step,
      seconds: index,
      loss: index,
    }));
    const curve = await readCurve(rows, 'train');
    expect(curve.map(({ step, losses }) => [step, losses.total])).toEqual([
      [1, 0],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
  });

  it('joins two rows of one step', async () => {
    const [point, ...rest] = await readCurve(
      [
        { stage: 'train', step: 5, seconds: 3, loss: 1 },
        { stage: 'train', step: 5, 'validation/accuracy': 0.25 },
      ],
      'train',
    );
    expect(rest).toEqual([]);
    expect(point).toMatchObject({ seconds: 3, losses: { total: 1 }, validationAccuracy: 0.25 });
  });

  it('thins long curves, evaluations and the last point last of all', async () => {
    const rows = Array.from({ length: 20_000 }, (_, step) => ({
      stage: 'train',
      step,
      ...(step % 1000 === 1 ? { 'validation/accuracy': 0.5 } : {}),
    }));
    const curve = await readCurve(rows, 'train', 100);
    expect(curve.length).toBeLessThanOrEqual(100);
    expect(curve.filter((point) => point.validationAccuracy !== undefined)).toHaveLength(20);
    expect(curve.at(-1)!.step).toBe(19_999);

    const evaluated = Array.from({ length: 5000 }, (_, step) => ({
      stage: 'train',
      step,
      'validation/accuracy': 0.5,
    }));
    const dense = await readCurve(evaluated, 'train', 100);
    expect(dense.length).toBeLessThanOrEqual(100);
    expect(dense.at(-1)!.step).toBe(4999);
  });

  it('leaves out values that are not finite', async () => {
    const [point] = await readCurve([{ stage: 'train', step: 1, loss: Number.NaN, 'loss/kd': 1 }], 'train');
    expect(point!.losses).toEqual({ kd: 1 });
  });
});
