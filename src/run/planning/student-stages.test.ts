import { expect, test } from 'vitest';
import { gateNote, gateSeconds } from './gate-seconds.ts';
import { evaluationSeconds } from './student-stages.ts';

type Arguments = Parameters<typeof evaluationSeconds>;

test('every model that is evaluated costs its answers, its loading and its timing', () => {
  const test = { buckets: [{ length: 16, size: 64 }] };
  const context = {
    data: { dataset: { splits: { test } } },
    options: { timingSeconds: 0.5 },
  } as unknown as Arguments[0];
  const evaluation = { rows: 64, batch: new Map([[16, 0.5]]), prepareSeconds: 1, bytesEach: 0 };
  const cost = { evaluation } as unknown as Arguments[1]['cost'];
  const seconds = (students: number, teachers: number) =>
    evaluationSeconds(context, { cost, students, teachers });
  // A student: one batch of 0.5 s, 1 s to load, and two timings of 0.5 s; a teacher is only timed.
  expect(seconds(1, 0)).toBeCloseTo(2.5, 12);
  expect(seconds(2, 1)).toBeCloseTo(6, 12);
  // With a baseline there is one student more.
  expect(seconds(3, 1)).toBeCloseTo(8.5, 12);
});

test('a runtime that is bounded costs its starts and their timing, or its answers', () => {
  const started = { title: 'wasm', isSoftware: false, seconds: 2 };
  const runtime = (bounds: object) => ({ on: 'wasm', file: 'int8', threads: 1, bounds, started }) as const;
  const seconds = (...runtimes: ReturnType<typeof runtime>[]) =>
    gateSeconds({ options: { timingSeconds: 0.5 } as never }, runtimes, 3);
  expect(seconds()).toBe(0);
  expect(seconds(runtime({ p50: 5 }))).toBeCloseTo(5 * (2 + 1), 12);
  expect(seconds(runtime({ p90: 5, metric: 0.6 }))).toBeCloseTo(5 * (2 + 1) + 2 + 3, 12);
  // It is run once where only its size is bounded.
  expect(seconds(runtime({ bytes: 5 }), runtime({ bytes: 5 }))).toBeCloseTo(10, 12);
  expect(gateNote([runtime({ p50: 5 })], 15)).toBe('wasm for export.gate: 15 s');
});
