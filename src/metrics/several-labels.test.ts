import { describe, expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { auroc, rocArea } from './auroc.ts';
import { averagePrecision, meanAveragePrecision } from './average-precision.ts';
import { chooseThreshold } from './class-thresholds.ts';
import { labelsF1 } from './labels-f1.ts';
import { batchOf, measure, REFERENCE } from './testing/reference.ts';

const { severalLabels: reference } = REFERENCE as {
  severalLabels: Record<string, number> & {
    truth: number[][];
    scores: number[][];
    aurocs: number[];
    averagePrecisions: number[];
    bestF1: number[];
  };
};
const { truth, scores } = reference;
const column = (rows: number[][], k: number) => rows.map((row) => row[k]!);
const classes = 4;

describe('metrics over samples with several classes', () => {
  it.each([
    ['macroAuroc', auroc({ classes })],
    ['microAuroc', auroc({ classes, average: 'micro' })],
    ['macroAveragePrecision', meanAveragePrecision({ classes })],
    ['microAveragePrecision', meanAveragePrecision({ classes, average: 'micro' })],
    ['macroF1', labelsF1({ classes, thresholds: [0.5, 0.5, 0.5, 0.5] })],
    ['microF1', labelsF1({ classes, thresholds: [0.5, 0.5, 0.5, 0.5], average: 'micro' })],
  ] as const)('%s is scikit-learn’s, with ties', (name, metric) => {
    const { value, interval } = measure(metric, scores, truth);
    expect(value).toBeCloseTo(reference[name]!, 6);
    expect(interval!.low).toBeLessThan(value);
    expect(interval!.high).toBeGreaterThan(value);
    expect(interval!.high - interval!.low).toBeLessThan(0.5);
  });

  it('leaves out of each class the samples of which nobody knows it', () => {
    const [values, known] = [column(scores, 0), column(truth, 0)];
    const hidden = known.map((value, i) => (i % 3 === 0 ? -1 : value));
    const left = known.flatMap((_, i) => (i % 3 === 0 ? [] : [i]));
    const [some, own] = [left.map((i) => values[i]!), left.map((i) => known[i]!)];
    const { area, influences } = rocArea(values, hidden);
    const expected = rocArea(some, own);
    expect(area).toBeCloseTo(expected.area, 12);
    left.forEach((place, i) => {
      expect(influences[place]).toBeCloseTo(expected.influences[i]!, 12);
    });
    expect(averagePrecision(values, hidden)).toBeCloseTo(averagePrecision(some, own), 12);
    expect(chooseThreshold(values, hidden).f1).toBeCloseTo(chooseThreshold(some, own).f1, 12);
    const metric = labelsF1({ classes: 1, thresholds: [0.5] });
    const asRows = (list: readonly number[]) => list.map((value) => [value]);
    const [all, few] = [
      measure(metric, asRows(values), asRows(hidden)),
      measure(metric, asRows(some), asRows(own)),
    ];
    expect(all.value).toBeCloseTo(few.value, 12);
  });

  it('is scikit-learn’s for each class', () => {
    reference.aurocs.forEach((area, k) => {
      expect(rocArea(column(scores, k), column(truth, k)).area).toBeCloseTo(area, 12);
    });
    reference.averagePrecisions.forEach((precision, k) => {
      expect(averagePrecision(column(scores, k), column(truth, k))).toBeCloseTo(precision, 12);
    });
  });

  it('leaves out classes that nothing, or everything, belongs to', () => {
    const wider = truth.map((row) => [...row, 0]);
    const answers = scores.map((row) => [...row, 0.3]);
    for (const make of [auroc, meanAveragePrecision, labelsF1])
      expect(measure(make({ classes: 5 }), answers, wider).value).toBeCloseTo(
        measure(make({ classes }), scores, truth).value,
        12,
      );
    expect(rocArea([1, 2], [1, 1]).area).toBeNaN();
    expect(averagePrecision([1, 2], [0, 0])).toBeNaN();
    expect(measure(auroc({ classes: 1 }), [[1]], [[0]]).value).toBeNaN();
  });

  it('refuses to make a number of NaN', () => {
    const metric = auroc({ classes: 2 });
    const answers = { type: 'float32', dims: [1, 2], data: Float32Array.of(0, Number.NaN) } as const;
    expect(() => metric.add(metric.start(), answers, batchOf([[0, 1]]))).toThrow(/NaN or infinite/);
  });
});

describe('the interval of AUROC', () => {
  it('holds the true area in about 95 of 100 samples', () => {
    // Normal scores a deviation apart: the area is the normal distribution at 1 / sqrt(2).
    const area = 0.7602499389;
    const random = randomStream(1, 'AUROC coverage');
    let held = 0;
    for (let repetition = 0; repetition < 400; repetition++) {
      const labels = Array.from({ length: 80 }, (_, i) => [i % 4 === 0 ? 1 : 0]);
      const answers = labels.map(([label]) => [random.normal() + label!]);
      const { low, high } = measure(auroc({ classes: 1 }), answers, labels).interval!;
      if (low <= area && area <= high) held++;
    }
    expect(held / 400).toBeGreaterThan(0.91);
    expect(held / 400).toBeLessThan(0.985);
  });
});

describe('chooseThreshold', () => {
  it('finds the best F1 of all thresholds', () => {
    reference.bestF1.forEach((f1, k) => {
      const [own, labels] = [column(scores, k), column(truth, k)];
      const chosen = chooseThreshold(own, labels);
      expect(chosen.f1).toBeCloseTo(f1, 12);
      const called = own.map((score) => score >= chosen.threshold);
      const right = called.filter((is, i) => is && labels[i] === 1).length;
      const all = called.filter(Boolean).length + labels.filter(Boolean).length;
      expect((2 * right) / all).toBeCloseTo(f1, 12);
    });
  });

  it('lies between the scores, and stays where nothing can be chosen', () => {
    expect(chooseThreshold([0.1, 0.3, 0.9, 0.7], [0, 0, 1, 1])).toEqual({ threshold: 0.5, f1: 1 });
    expect(chooseThreshold([0.1, 0.9], [0, 0], 0.25)).toEqual({ threshold: 0.25, f1: Number.NaN });
    expect(chooseThreshold([0.4, 0.4], [1, 1])).toEqual({ threshold: 0.4, f1: 1 });
  });
});
