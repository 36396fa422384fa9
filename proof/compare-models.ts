import type { ModelResult, RunResult } from '../src/index.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

/** Teacher, student, int8 student and baseline side by side, over the seeds' runs. */
export function modelTable(runs: readonly RunResult[]): string {
  const row = (name: string, pick: (run: RunResult) => ModelResult | null): string[] => {
    const models = runs.map(pick).filter((model) => model !== null);
    const { mean: speed } = spreadOf(models.map(({ throughput }) => throughput));
    return [
      name,
      percents(models.map(({ accuracy }) => accuracy)),
      percents(models.map(({ macroF1 }) => macroF1)),
      `${(spreadOf(models.map(({ bytes }) => bytes)).mean / 1e6).toFixed(1)} MB`,
      `${numbers(
        models.map(({ latencyMs }) => latencyMs.one),
        3,
      )} ms`,
      Math.round(speed).toLocaleString('en'),
    ];
  };
  return markdownTable([
    ['', 'accuracy, %', 'macro-F1, %', 'size', 'one text', 'texts a second'],
    row('teacher', ({ teacher }) => teacher),
    row('student', ({ student }) => student),
    row('student, int8', ({ studentInt8 }) => studentInt8),
    row('baseline: the student without a teacher', ({ baseline }) => baseline),
  ]);
}

/** What the issue of a distillation is, in one paragraph. */
export function modelText(runs: readonly RunResult[]): string {
  const gains = runs.map(({ student, baseline }) => student.accuracy - (baseline?.accuracy ?? 0));
  const drops = runs.map(({ gate }) => gate?.drop ?? 0);
  const seconds = spreadOf(runs.map((run) => run.seconds.total)).mean;
  const memory = Math.max(...runs.map(({ machine }) => machine.memoryPeakBytes));
  return [
    `Mean ± standard deviation over ${runs.length} seeds; a seed draws another split, other labels and other initial weights.`,
    `The student keeps ${percents(runs.map(({ retention }) => retention))} % of the teacher's accuracy at ${numbers(
      runs.map(({ speedup }) => speedup),
      1,
    )} times its throughput,`,
    `and has ${percents(gains)} points more than the baseline. int8 changes it by ${percents(drops.map((drop) => -drop))} points.`,
    `A run took ${(seconds / 60).toFixed(1)} minutes and at most ${(memory / 1e9).toFixed(2)} GB.`,
  ].join(' ');
}
