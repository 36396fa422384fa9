import { describe, expect, it } from 'vitest';
import { answersHeadline, answersWorth, shutAnswersGate } from './answers-conclusion.ts';
import type { AnswersResult } from './answers-result.ts';

const model = (metrics: Record<string, number | null>) =>
  ({ metrics, parameters: 1, bytes: 1, latencyMs: { one: 1, thirtyTwo: 1 }, throughput: 1 }) as const;

function resultOf(better: 'higher' | 'lower', more: Partial<AnswersResult>): AnswersResult {
  const metric =
    better === 'higher'
      ? ({ name: 'macroAuroc', title: 'macro-AUROC', better, format: 'percent' } as const)
      : ({ name: 'rmse', title: 'RMSE', better, format: 'number' } as const);
  return { metrics: [metric], studentInt8: null, gate: null, ...more } as AnswersResult;
}

describe('conclusions about any answers', () => {
  it('keep a part of the teacher where more is better, and stand beside it where less is', () => {
    const tags = resultOf('higher', {
      student: model({ macroAuroc: 0.9 }),
      teacher: model({ macroAuroc: 1 }),
      retention: 0.9,
      speedup: 2970,
    });
    expect(answersHeadline(tags)).toBe(
      "The student keeps 90.0 % of its teacher's macro-AUROC at 2,970 times its speed",
    );
    const score = resultOf('lower', {
      student: model({ rmse: 5.5 }),
      teacher: model({ rmse: 5 }),
      retention: 0.91,
      speedup: 1.26,
    });
    expect(answersHeadline(score)).toBe(
      'The student has RMSE 5.50, its teacher RMSE 5.00 at 1.3 times its speed',
    );
  });

  it('tell a difference from chance, in points or as a part of the error', () => {
    const baseline = { name: 'labels', title: 'the same student', taughtBy: 'labels' } as const;
    const tags = resultOf('higher', {
      student: model({ macroAuroc: 0.9 }),
      baselines: [
        {
          ...baseline,
          result: model({ macroAuroc: 0.92 }),
          gain: { difference: -0.02, low: -0.03, high: -0.01 },
        },
      ],
    });
    expect(answersWorth(tags)[0]).toContain("the student's is 2 points lower (95 % interval: -3 to -1).");
    const score = resultOf('lower', {
      student: model({ rmse: 5 }),
      baselines: [
        { ...baseline, result: model({ rmse: 10 }), gain: { difference: 0.5, low: -0.1, high: 0.9 } },
      ],
    });
    expect(answersWorth(score)[0]).toContain(
      "the student's error is 50 % lower (95 % interval: -90 to +10), which may be chance.",
    );
  });

  it('say what a shut gate means', () => {
    const gate = { maxDrop: 0.01, drop: 0.05, passed: false };
    expect(shutAnswersGate(resultOf('lower', { gate }))).toMatch(
      /loses 5.00 % by RMSE; the recipe allows 1.00 %/,
    );
    expect(shutAnswersGate(resultOf('lower', { gate: { ...gate, passed: true } }))).toBeUndefined();
  });
});
