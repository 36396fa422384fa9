import { describe, expect, it } from 'vitest';
import { pairedDifference } from '../metrics/interval.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import {
  type Concluded,
  conclusionOf,
  headlineOf,
  mayQuoteRetention,
  speedBesideTeacher,
  worthOf,
} from './conclusion.ts';
import { shutGate } from './gate-sentences.ts';
import { fromOther, lowerBy } from './main-metric.ts';
import {
  type BaselineResult,
  CLASS_METRICS,
  compareModels,
  LABELS_ALONE,
  type ModelResult,
} from './result.ts';
import { classModel } from './testing/class-results.ts';

const SAMPLES = 1000;

const model = (accuracy: number) => classModel(accuracy, accuracy);

const counts = (gain: number, disputed: number) =>
  pairedDifference({
    samples: SAMPLES,
    onlyFirst: Math.round((disputed + gain * SAMPLES) / 2),
    onlySecond: Math.round((disputed - gain * SAMPLES) / 2),
  });

/** A run of 1,000 test samples, 150 of which only one of two models gets right. */
function run(
  accuracies: { teacher: number; student: number; labels?: number; peer?: number },
  more: Partial<Concluded> = {},
): Concluded {
  const { teacher, student, labels, peer } = accuracies;
  const compared = (name: string, taughtBy: BaselineResult['taughtBy'], title: string, accuracy?: number) =>
    accuracy === undefined
      ? []
      : [{ name, title, taughtBy, result: model(accuracy), gain: counts(student - accuracy, 150) }];
  return {
    metrics: CLASS_METRICS,
    teacher: model(teacher),
    student: model(student),
    baseline: labels === undefined ? null : model(labels),
    baselines: [
      ...compared('labels', 'labels', 'the same student, from the labels alone', labels),
      ...compared('linear', 'teacher', 'a linear model of the teacher’s answers', peer),
    ],
    retention: student / teacher,
    speedup: 24,
    testSamples: SAMPLES,
    chance: 0.3,
    overTeacher: counts(student - teacher, 150),
    ...more,
  };
}

const told = (result: Concluded) => headlineOf(result, 'texts').replaceAll('\u202f', ' ');

describe('a headline', () => {
  it('sells what helped, with what was kept', () => {
    const result = run({ teacher: 0.9, student: 0.8, labels: 0.7 });
    expect(conclusionOf(result)).toBe('helped');
    expect(told(result)).toBe(
      'A 2.4 MB student answers 24 times faster and keeps 88.9 % of its teacher’s accuracy',
    );
  });

  it('does not sell a distillation that did not help', () => {
    const result = run({ teacher: 0.9, student: 0.8, labels: 0.86 });
    expect(conclusionOf(result)).toBe('did-not-help');
    expect(told(result)).toMatch(
      /^This distillation did not help: the same student, from the labels alone, is right 86.0 %.* 80.0 %$/,
    );
    expect(told(result)).not.toMatch(/keeps|faster/);
  });

  it('does not sell what may be chance', () => {
    const result = run({ teacher: 0.9, student: 0.8, labels: 0.79 });
    expect(conclusionOf(result)).toBe('unclear');
    expect(told(result)).toMatch(/1,000 test texts do not show whether its teacher helped$/);
    expect(told(result)).not.toContain('keeps');
  });

  it('names a peer that is the better choice', () => {
    const result = run({ teacher: 0.9, student: 0.8, labels: 0.7, peer: 0.85 });
    expect(conclusionOf(result)).toBe('peer-is-better');
    expect(told(result)).toMatch(/^A linear model of the teacher’s answers is the better choice/);
  });

  it.each([0, 0.01, 0.3, 0.31])('keeps no share of a teacher that knows nothing (%f)', (teacher) => {
    const result = run({ teacher, student: 0.69, labels: 0.6 });
    expect(told(result)).toMatch(/nothing to distil$/);
    expect(told(result)).not.toContain('keeps');
    expect(mayQuoteRetention(result)).toBe(false);
  });

  it('says what is true of a test split that is too small, or of one class', () => {
    const small = told(run({ teacher: 1, student: 1, labels: 1 }, { testSamples: 2, chance: 0.5 }));
    expect(small).toBe(
      'The teacher is right 100.0 % of the time; 2 test texts do not tell that from always giving the most frequent class (50.0 %): they show nothing to distil',
    );
    const oneClass = told(run({ teacher: 1, student: 1 }, { testSamples: 60, chance: 1 }));
    expect(oneClass).toMatch(/on 60 test texts of one class alone: they show nothing to distil$/);
    expect(told(run({ teacher: 0.9, student: 0.31 }))).toMatch(/do not tell that .* learnt anything$/);
  });

  it('does not call a peer that is larger the better choice', () => {
    const result = run({ teacher: 0.9, student: 0.8, labels: 0.7, peer: 0.85 });
    const large = {
      ...result,
      baselines: result.baselines!.map((one) => ({ ...one, result: { ...one.result, bytes: 49e6 } })),
    };
    expect(told(large)).toMatch(/^A linear model of the teacher’s answers is more accurate/);
    expect(worthOf(large, 'texts')[1]).toMatch(
      /more than the student: it is more accurate, in a larger file \(49\sMB, the student 2\.4\sMB\)\.$/u,
    );
    expect(speedBesideTeacher(0.02)).toBe('answers 50 times slower than the teacher');
  });

  it('says that a student learnt nothing', () => {
    expect(told(run({ teacher: 0.9, student: 0.3 }))).toMatch(/^The student is right 30.0 %.*learnt nothing/);
  });

  it('has no share above 100 %', () => {
    expect(told(run({ teacher: 0.8, student: 0.9, labels: 0.7 }))).toMatch(
      /is right more often than its teacher \(90.0 %, the teacher 80.0 %\)$/,
    );
    expect(told(run({ teacher: 0.8, student: 0.81, labels: 0.7 }))).toMatch(
      /is as often right as its teacher, as far as 1,000 test texts tell/,
    );
  });

  it('stands results of earlier versions', () => {
    const old = run({ teacher: 0.9, student: 0.8, labels: 0.7 });
    for (const key of ['baselines', 'testSamples', 'chance', 'overTeacher'] as const) delete old[key];
    expect(told(old)).toContain('keeps 88.9 %');
    expect(conclusionOf({ ...old, baseline: model(0.85) })).toBe('did-not-help');
  });
});

describe('what the teacher is worth', () => {
  const sentences = (result: Concluded) =>
    worthOf(result, 'texts').map((text) => text.replaceAll('\u202f', ' '));

  it('comes with its interval', () => {
    expect(sentences(run({ teacher: 0.9, student: 0.8, labels: 0.7 }))).toEqual([
      expect.stringMatching(
        /reaches 70.0 %: the teacher is worth 10.0 points \(95 % interval: 7.\d to 12.\d\)\.$/,
      ),
    ]);
  });

  it('is told against the best of the baselines', () => {
    const result = run({ teacher: 0.9, student: 0.8, labels: 0.6 });
    const better = { ...result.baselines![0]!, name: 'linear', title: 'a linear model', result: model(0.75) };
    const all = { ...result, baselines: [...result.baselines!, { ...better, gain: counts(0.05, 150) }] };
    expect(sentences(all)).toEqual([
      expect.stringMatching(/^Without the teacher, a linear model reaches 75.0 %.* worth 5.0/),
    ]);
  });

  it('is not claimed where it may be chance, or was none', () => {
    expect(sentences(run({ teacher: 0.9, student: 0.8, labels: 0.79 }))[0]).toMatch(/may be chance\.$/);
    expect(sentences(run({ teacher: 0.9, student: 0.8, labels: 0.86 }))[0]).toMatch(
      /reaches 86.0 %, 6.0 points .*more: this distillation did not help\.$/,
    );
    expect(sentences(run({ teacher: 0.9, student: 0.8, labels: 0.7, peer: 0.8 }))[1]).toMatch(
      /do not show that the student is better, so the simpler model is the better choice/,
    );
    expect(sentences(run({ teacher: 0.9, student: 0.8 }))).toEqual([]);
  });
});

describe('conclusions about other answers', () => {
  const AUROC = { name: 'macroAuroc', title: 'macro-AUROC', better: 'higher', format: 'percent' } as const;
  const RMSE = { name: 'rmse', title: 'RMSE', better: 'lower', format: 'number' } as const;

  const measured = ({ name }: { name: string }, value: number): ModelResult => ({
    metrics: { [name]: value },
    parameters: 1,
    bytes: 2_400_000,
    latencyMs: { one: 1, thirtyTwo: 1 },
    throughput: 1,
  });

  function resultOf(
    metric: MetricInfo,
    values: { teacher: number; student: number; labels?: number },
    more: Partial<Concluded> & { gain?: BaselineResult['gain'] } = {},
  ): Concluded {
    const { teacher, student, labels } = values;
    const { gain = { difference: 0.1, low: 0.05, high: 0.15 }, ...rest } = more;
    const models = {
      teacher: measured(metric, teacher),
      student: measured(metric, student),
      studentInt8: null,
    };
    return {
      ...models,
      ...compareModels({ ...models, metrics: [metric] }),
      metrics: [metric],
      baseline: null,
      baselines: labels === undefined ? [] : [{ ...LABELS_ALONE, result: measured(metric, labels), gain }],
      speedup: 2970,
      testSamples: SAMPLES,
      ...rest,
    };
  }

  it('keep a part of the teacher where more is better, and stand beside it where less is', () => {
    const lower = { difference: -0.1, low: -0.12, high: -0.08 };
    const tags = resultOf(AUROC, { teacher: 1, student: 0.9, labels: 0.8 }, { overTeacher: lower });
    expect(told(tags)).toBe(
      'A 2.4 MB student answers 2,970 times faster and keeps 90.0 % of its teacher’s macro-AUROC',
    );
    expect(mayQuoteRetention(tags)).toBe(true);
    const score = resultOf(
      RMSE,
      { teacher: 5, student: 5.5, labels: 8 },
      { overTeacher: lower, speedup: 1.26 },
    );
    expect(score.retention).toBeCloseTo(5 / 5.5);
    expect(told(score)).toBe('A 2.4 MB student answers 1.3 times faster and has RMSE 5.50, its teacher 5.00');
    expect(mayQuoteRetention(score)).toBe(false);
  });

  it('tell a difference from chance, in points or as a part of the error', () => {
    const gain = { difference: -0.02, low: -0.03, high: -0.01 };
    const tags = resultOf(AUROC, { teacher: 0.95, student: 0.9, labels: 0.92 }, { gain });
    expect(conclusionOf(tags)).toBe('did-not-help');
    expect(told(tags)).toBe(
      'This distillation did not help: the same student, from the labels alone, has macro-AUROC 92.0 %, the student 90.0 %',
    );
    expect(sentencesOf(tags)[0]).toContain('2.0 points (95 % interval: 1.0 to 3.0) more');
    const better = { difference: 0.5, low: 0.1, high: 0.9 };
    const score = resultOf(RMSE, { teacher: 4, student: 5, labels: 10 }, { gain: better });
    expect(conclusionOf(score)).toBe('helped');
    expect(sentencesOf(score)[0]).toContain(
      'reaches RMSE 10.0; with the teacher, RMSE is 50.0 % lower (95 % interval: 10.0 to 90.0).',
    );
    const worse = { difference: -1, low: -1.2, high: -0.8 };
    const doubled = resultOf(RMSE, { teacher: 4, student: 20, labels: 10 }, { gain: worse });
    expect(sentencesOf(doubled)[0]).toContain(
      'with the teacher, RMSE is 100.0 % higher (95 % interval: 80.0 to 120.0): this distillation did not help.',
    );
    const unsure = resultOf(RMSE, { teacher: 4, student: 5, labels: 10 }, { gain: { ...better, low: null } });
    expect(conclusionOf(unsure)).toBe('unclear');
    expect(sentencesOf(unsure)[0]).toContain('with the teacher, RMSE is 50.0 % lower, which may be chance');
    const [own] = doubled.baselines ?? [];
    const peer = resultOf(
      RMSE,
      { teacher: 4, student: 20 },
      { baselines: [{ ...own!, taughtBy: 'teacher' }] },
    );
    expect(sentencesOf(peer)[0]).toMatch(
      /reaches RMSE 10.0; the student's RMSE is 100.0 % higher .*: it is the better choice\.$/,
    );
  });

  it('turn a part of one error into the same of the other', () => {
    // 100 beside 125: a fifth less than that, which is a quarter more than this.
    expect(fromOther({ difference: 0.2, low: 0.1, high: null })).toEqual({
      difference: -0.25,
      low: null,
      high: -0.1 / 0.9,
    });
    expect(
      lowerBy(RMSE, fromOther({ difference: 0.2, low: 0.1, high: 0.3 }), 2).replaceAll('\u202f', ' '),
    ).toBe('25.00 % higher (95 % interval: 11.11 to 42.86)');
  });

  it('say what a shut gate means', () => {
    const gate = { maxDrop: 0.01, drop: 0.05, passed: false };
    expect(shutGate({ metrics: [RMSE], gate }).replaceAll('\u202f', ' ')).toMatch(
      /loses 5.00 % by RMSE; the recipe allows 1.00 %/,
    );
  });

  const sentencesOf = (result: Concluded) =>
    worthOf(result, 'texts').map((text) => text.replaceAll('\u202f', ' '));
});
