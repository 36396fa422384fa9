import { expect, it } from 'vitest';
import { type ContinualResult, methodResults } from '../continual-result.ts';
import { type ContinualReport, renderContinualReport } from './continual-page.ts';

const HOSTILE = '<script>alert(1)</script>"\'';

function report(text: string): ContinualReport {
  const measured = [
    { method: 'naive', matrix: square(0.1), validation: square(0.1) },
    { method: 'all', matrix: square(0.6), validation: square(0.6) },
    { method: 'joint', matrix: [[0.9, 0.7]], validation: [[0.9, 0.7]] },
  ];
  const result: ContinualResult = {
    name: text,
    unit: 'images',
    setting: 'class-incremental',
    tasks: [text, 'bag'].map((name) => ({ classes: [name], train: 10, validation: 5, test: 5 })),
    methods: methodResults(measured),
    student: text,
    seconds: 61,
    seed: 1,
    command: text,
    engine: 'cpu',
    machine: { cpu: text, cores: 2, node: 'v20', memoryPeakBytes: 1 },
    version: '0.1.0',
  };
  return { result, finishedAt: '2026-01-02T00:00:00Z', warnings: [text], recipe: text };
}

/** Two tasks; `kept` is left of the first one after the second. */
const square = (kept: number) => [
  [0.8, 0],
  [kept, 0.9],
];

it('says who kept how much, and draws every matrix', () => {
  const page = renderContinualReport(report('fashion'));
  // (0.6 + 0.9) / 2, and (0.1 + 0.9) / 2.
  expect(page).toMatch(/is right 75.0\s% of the time with all remedies together, 50.0\s% by fine-tuning/);
  expect(page).toContain(
    'aria-label="Accuracy of all on each task (columns) after each task was learnt (rows)"',
  );
  expect(page).toMatch(/<title>all, task 1 after task 2: 60.0\s%<\/title>/);
  // 0.2 of 0.7 points.
  expect(page).toMatch(/29\s%/);
});

it('takes no markup from names, and no style that its policy would refuse', () => {
  const page = renderContinualReport(report(HOSTILE));
  expect(page).not.toContain('<script>alert');
  expect(page).not.toMatch(/ style="/);
});
