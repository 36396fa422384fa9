import { expect, test } from 'vitest';
import { gateNote, gateSeconds } from './gate-seconds.ts';
import { heldBy } from './measure-training.ts';
import { evaluationSeconds, memoryBeyondMeasured } from './student-stages.ts';

type Arguments = Parameters<typeof evaluationSeconds>;

const NOTHING = { longestBytes: 0, bytesPerToken: 0 };

test('every model that is evaluated costs its answers, its loading and its timing', () => {
  const test = { buckets: [{ length: 16, size: 64 }] };
  const context = {
    data: { dataset: { splits: { test } } },
    options: { timingSeconds: 0.5 },
  } as unknown as Arguments[0];
  const evaluation = { rows: 64, batch: new Map([[16, 0.5]]), prepareSeconds: 1, held: NOTHING };
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

test('memory that a run holds grows with the lengths that it holds, and is not that of the longest for all', () => {
  const MB = 1e6;
  const steps = Array.from({ length: 10 }, (_, step) => (step < 5 ? 660 * MB : 740 * MB));
  const held = heldBy([64, 8], steps);
  // 80 MB came with 8 tokens.
  expect(held).toEqual({ lengths: [64, 8], bytesPerToken: 10 * MB });
  const bucket = (length: number) => ({ length, size: 64 });
  const split = { buckets: [8, 16, 64].map(bucket) };
  const empty = { buckets: [] };
  // Steps and probes of 8, 16 and 64 tokens; both lengths and a probe were held.
  const often = { held, evaluation: NOTHING, evaluations: 9 };
  expect(memoryBeyondMeasured(split, empty, often)).toBe((2 * 88 - 72 - 64) * 10 * MB);
  // With an evaluation for two of three lengths as many probes.
  expect(
    memoryBeyondMeasured({ buckets: [64, 64, 64].map(bucket) }, empty, { ...often, evaluations: 2 }),
  ).toBeCloseTo((192 + 128 - 72 - 64) * 10 * MB, 0);
  // An evaluation of 64 tokens with its answers, and what those of 8 and 16 do not share with it.
  const evaluation = { longestBytes: 100 * MB, bytesPerToken: MB };
  expect(memoryBeyondMeasured(empty, split, { ...often, evaluation })).toBe((100 + 24) * MB);
  expect(heldBy([64], steps).bytesPerToken).toBe(0);
});
