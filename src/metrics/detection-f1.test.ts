import { expect, it } from 'vitest';
import { DetectionScores } from './detection-f1.ts';

const box = (x: number) => [x, 0, x + 0.2, 0.2] as const;

it('is that of the boxes above a threshold, which is chosen so that it is highest', () => {
  const scores = new DetectionScores(0.5);
  scores.add(
    [
      { class: 0, box: box(0) },
      { class: 1, box: box(0.5) },
    ],
    [
      { class: 0, box: box(0.02), score: 0.9 },
      // The same thing once more, and one of another class.
      { class: 0, box: box(0.01), score: 0.4 },
      { class: 0, box: box(0.5), score: 0.3 },
    ],
  );
  scores.add([{ class: 1, box: box(0.1) }], [{ class: 1, box: box(0.1), score: 0.6 }]);
  scores.add([], [{ class: 1, box: box(0.7), score: 0.2 }]);
  // Two right ones of two; three are there.
  expect(scores.f1(0.5)).toBeCloseTo(4 / 5, 12);
  expect(scores.f1(0)).toBeCloseTo(4 / 8, 12);
  expect(scores.threshold()).toBeCloseTo(0.5, 12);
  expect(scores.f1(scores.threshold())).toBeCloseTo(4 / 5, 12);
  const { low, high } = scores.interval(0.5);
  expect(low).toBeLessThanOrEqual(0.8);
  expect(high).toBeGreaterThanOrEqual(0.8);
});

it('is not a number where nothing is there and nothing found', () => {
  expect(new DetectionScores(0.5).f1(0.5)).toBeNaN();
});
