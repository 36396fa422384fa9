import { expect, test } from 'vitest';
import { CLASS_METRICS, type RunResult } from '../report/result.ts';
import { classModel } from '../report/testing/class-results.ts';
import { evaluationSummary, gateFailure, runSummary } from './result-summary.ts';

const model = (accuracy: number, throughput: number) =>
  classModel(accuracy, accuracy - 0.05, { latencyMs: { one: 0.1, thirtyTwo: 1.234 }, throughput });

const result = {
  metrics: CLASS_METRICS,
  teacher: model(0.634, 900),
  student: model(0.6, 20_000),
  studentInt8: model(0.598, 30_000),
  baseline: model(0.52, 20_000),
  retention: 0.6 / 0.634,
  speedup: 20_000 / 900,
  speedupInt8: 30_000 / 900,
  seconds: { total: 241 },
  teacherCalls: 79_000,
  teacherCallsSaved: 0,
  gate: { maxDrop: 0.01, drop: 0.002, passed: true },
} as RunResult;

test('a distillation in a few lines', () => {
  const text = runSummary(result, '/w/runs/a', '/w');
  expect(text).toMatch(/^ +accuracy {2}macro-F1/);
  expect(text).toMatch(/student int8 +59.8 % +54.8 % +2.4 MB +600,000 +0.10 ms +1.23 ms +30,000/);
  expect(text).toContain(
    "A 2.4 MB student answers 22 times faster and keeps 94.6 % of its teacher's accuracy. The int8 file answers 33 times as fast",
  );
  expect(text).toContain('from the labels alone, reaches 52.0 %: the teacher is worth 8.0 points.');
  expect(text).toContain('the teacher answered 79,000 samples, 0 answers were in the store');
  expect(text).toContain('runs/a/student (float32 and int8)');
  expect(text).toContain('runs/a/report.html');
});

test('what is not there is not told, and a baseline that is better is', () => {
  const text = runSummary({ ...result, studentInt8: null, speedupInt8: null, baseline: null }, '/w/r', '/w');
  expect(text).not.toMatch(/int8|baseline|Without/);
  expect(text).toContain('student (float32)\n');
  expect(runSummary({ ...result, baseline: model(0.62, 1) }, '/w/r', '/w')).toMatch(
    /2.0 points more.*did not help/,
  );
});

test('an int8 file that must not ship is told as what it is', () => {
  const shut = { maxDrop: 0.01, drop: 0.034, passed: false };
  const text = runSummary({ ...result, gate: shut }, '/w/r', '/w');
  expect(text).toMatch(/^student int8, kept back/m);
  expect(text).toContain('student (float32; the int8 file was kept back)');
  expect(text).not.toContain('The int8 file answers');
});

test('a training without a teacher, and one that learnt nothing', () => {
  const { teacher: _, baseline: __, teacherCalls: ___, ...own } = result;
  const trained = { ...own, studentInt8: null, testSamples: 500, chance: 0.3 };
  const text = runSummary(trained, '/w/runs/t', '/w');
  expect(text).toContain('A 2.4 MB student is right 60.0 % of the time and answers 20,000 samples a second.');
  expect(text).toContain('runs/t/student (float32)\n');
  expect(text).not.toMatch(/teacher|baseline/);
  expect(runSummary({ ...trained, chance: 0.6 }, '/w/runs/t', '/w')).toMatch(/it learnt nothing/);
});

test('what names and folders hold does not steer the terminal', () => {
  const gain = { difference: 0.1, low: 0.1, high: 0.1 };
  const title = 'a\u001b[2J linear\u202e model\u0007';
  const baselines = [
    { name: 'x\u001b]0;owned\u0007', title, taughtBy: 'labels' as const, result: model(0.5, 1), gain },
  ];
  const text = runSummary({ ...result, baselines }, '/w/r\u001b[31m', '/w');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(text).toContain('a linear model');
});

test('the gate', () => {
  const failure = (gate: RunResult['gate']) => gateFailure({ metrics: CLASS_METRICS, gate });
  expect(failure(null)).toBeUndefined();
  expect(failure(result.gate)).toBeUndefined();
  expect(failure({ maxDrop: 0.01, drop: 0.034, passed: false })).toMatch(
    /loses 3.40 points.*allows 1.00 \(export.int8.maxDrop\)$/,
  );
  const layers = [
    { layer: 'conv', loss: 0.0312 },
    { layer: 'head', loss: -0.0004 },
  ];
  expect(failure({ maxDrop: 0.01, drop: 0.034, passed: false, layers })).toMatch(
    /each layer adds in int8: conv \(0.031\), head \(-0.00040\)$/,
  );
});

test('a gate of a further file is told with its key', () => {
  const gate = { maxDrop: 0.01, drop: 0.034, passed: false };
  const further = [{ precision: 'q4' as const, result: model(0.56, 20_000), gate }];
  expect(gateFailure({ metrics: CLASS_METRICS, gate: null, further })).toMatch(
    /^the student in 4-bit weights loses 3.40 points.*\(export.q4.maxDrop\)$/,
  );
  const told = runSummary({ ...result, further } as RunResult, '/r', '/');
  expect(told).toMatch(/student q4, kept back +56.0 %/);
  expect(told).toContain('(float32 and int8; the q4 file was kept back)');
});

test('an evaluation by class, with names that steer nothing', () => {
  const classes = [{ label: 'noun\u001B[2J.act', samples: 3, precision: 1, recall: 0.5, f1: 2 / 3 }];
  const text = evaluationSummary({
    split: 'test',
    model: 'm.onnx',
    samples: 3,
    metrics: CLASS_METRICS.map((metric, i) => ({ ...metric, value: i === 0 ? 0.5 : 0.4 })),
    classes,
  });
  expect(text).toContain('m.onnx on 3 test samples: accuracy 50.00 %, macro-F1 40.00 %');
  expect(text).toMatch(/^noun\.act +3 +100.0 % +50.0 % +66.7 %$/m);
});
