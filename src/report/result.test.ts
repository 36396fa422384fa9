import { describe, expect, it } from 'vitest';
import { reportDataSchema } from './report-data.ts';
import { CLASS_METRICS, compareModels, runResultSchema } from './result.ts';
import { classModel } from './testing/class-results.ts';
import { syntheticReport } from './testing/synthetic-report.ts';

describe('runResultSchema', () => {
  it('takes a result through JSON unchanged', () => {
    const { result } = syntheticReport();
    expect(runResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  });

  it('refuses an accuracy above 1', () => {
    const { result } = syntheticReport();
    expect(
      runResultSchema.safeParse({ ...result, teacher: { ...result.teacher, accuracy: 61 } }).success,
    ).toBe(false);
  });

  it('takes the stages of other versions, and those of others', () => {
    const { result } = syntheticReport();
    const { peer: _, ...earlier } = result.seconds;
    for (const seconds of [earlier, { ...result.seconds, sums: 0.2 }])
      expect(runResultSchema.parse({ ...result, seconds }).seconds).toEqual(seconds);
    const { total: __, ...without } = result.seconds;
    expect(runResultSchema.safeParse({ ...result, seconds: without }).success).toBe(false);
    expect(runResultSchema.safeParse({ ...result, seconds: { ...earlier, sums: -1 } }).success).toBe(false);
  });

  it('takes a whole report, with and without the optional models', () => {
    for (const options of [{}, { baseline: false, int8: false }]) {
      const data = syntheticReport(options);
      expect(reportDataSchema.parse(JSON.parse(JSON.stringify(data)))).toEqual(data);
    }
  });
});

describe('results of earlier versions', () => {
  it('are those of one class', () => {
    const { result } = syntheticReport();
    const { metrics: _, ...older } = JSON.parse(JSON.stringify(result));
    for (const name of ['teacher', 'student', 'studentInt8', 'baseline']) delete older[name].metrics;
    expect(runResultSchema.parse(older)).toEqual(result);
  });
});

describe('compareModels', () => {
  const model = (accuracy: number, throughput: number) => classModel(accuracy, accuracy, { throughput });

  it('divides the student by its teacher', () => {
    const models = { metrics: CLASS_METRICS, teacher: model(0.5, 100), student: model(0.45, 2000) };
    expect(compareModels({ ...models, studentInt8: model(0.45, 3000) })).toEqual({
      retention: 0.9,
      speedup: 20,
      speedupInt8: 30,
    });
    expect(compareModels({ ...models, studentInt8: null }).speedupInt8).toBeNull();
  });

  it('stays finite when the teacher gets nothing right', () => {
    const models = { metrics: CLASS_METRICS, teacher: model(0, 1), student: model(0.5, 1) };
    expect(compareModels({ ...models, studentInt8: null }).retention).toBe(0);
  });
});
