import { describe, expect, it } from 'vitest';
import { expectedCalibrationError } from './calibration-error.ts';
import { correlationInterval, pearsonCorrelation, spearman, spearmanCorrelation } from './correlation.ts';
import { meanNdcg, ndcg } from './ndcg.ts';
import { mae, rmse } from './regression-error.ts';
import { batchOf, measure, REFERENCE } from './testing/reference.ts';
import { topKAccuracy } from './top-k.ts';

const { numbers, ranking, classes } = REFERENCE;
const asRows = (values: number[]) => values.map((value) => [value]);

describe('metrics of numbers', () => {
  it.each([
    ['rmse', rmse()],
    ['mae', mae()],
    ['pearson', pearsonCorrelation()],
    ['spearman', spearmanCorrelation()],
  ] as const)('%s is that of scikit-learn and scipy, in an interval', (name, metric) => {
    const { value, interval } = measure(metric, asRows(numbers.answer), asRows(numbers.truth));
    expect(value).toBeCloseTo(numbers[name], 6);
    expect(interval!.low).toBeLessThan(value);
    expect(interval!.high).toBeGreaterThan(value);
  });

  it('knows the interval of a correlation', () => {
    const { low, high } = correlationInterval(numbers.pearson, 50);
    expect([low, high]).toEqual(numbers.pearsonInterval.map((end: number) => expect.closeTo(end, 9)));
    expect(correlationInterval(0.9, 3)).toEqual({ low: -1, high: 1 });
  });

  it('says nothing of what does not vary, and skips what is not known', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(measure(pearsonCorrelation(), asRows([2, 2]), asRows([1, 3])).value).toBeNaN();
    expect(measure(rmse(), asRows([2, 5]), asRows([1, Number.NaN])).value).toBe(1);
    expect(measure(rmse(), asRows([2]), asRows([Number.NaN])).value).toBeNaN();
  });

  it('leaves out rows of weight 0', () => {
    const metric = mae({ weights: 'row_weights' });
    const batch = batchOf([[1], [2]]);
    const weights = { type: 'float32', dims: [2], data: Float32Array.of(0, 1) } as const;
    const state = metric.start();
    metric.add(
      state,
      { type: 'float32', dims: [2, 1], data: Float32Array.of(9, 5) },
      { ...batch, columns: { ...batch.columns, row_weights: weights } },
    );
    expect(metric.value(state)).toBe(3);
  });
});

describe('NDCG', () => {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it('is scikit-learn’s, with ties', () => {
    ranking.gains.forEach((gains: number[], i: number) => {
      expect(ndcg(gains, ranking.scores[i])).toBeCloseTo(ranking.ndcg[i], 12);
      expect(ndcg(gains, ranking.scores[i], 5)).toBeCloseTo(ranking.ndcg5[i], 12);
    });
    expect(measure(meanNdcg({ k: 5 }), ranking.scores, ranking.gains).value).toBeCloseTo(
      mean(ranking.ndcg5),
      6,
    );
  });

  it('leaves out lists without a gain', () => {
    expect(ndcg([0, 0], [1, 2])).toBeNaN();
    expect(
      measure(
        meanNdcg(),
        [
          [1, 2],
          [1, 2],
        ],
        [
          [0, 0],
          [0, 1],
        ],
      ).value,
    ).toBe(1);
  });
});

describe('metrics of classes', () => {
  it('are scikit-learn’s', () => {
    const of = (metric: Parameters<typeof measure>[0]) =>
      measure(metric, classes.logits, classes.truth).value;
    expect(of(topKAccuracy({ k: 1 }))).toBeCloseTo(classes.top1, 12);
    expect(of(topKAccuracy({ k: 3 }))).toBeCloseTo(classes.top3, 12);
    expect(of(expectedCalibrationError())).toBeCloseTo(classes.calibrationError, 6);
  });

  it('does not count a tie as known', () => {
    const alike = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    expect(measure(topKAccuracy({ k: 1 }), alike, [0, 3]).value).toBe(1 / 4);
    expect(measure(topKAccuracy({ k: 2 }), alike, [0, -1]).value).toBe(1 / 2);
  });
});
