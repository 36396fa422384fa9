import { accuracyOf, type ModelResult, type RunResult } from '../src/index.ts';
import type { Claim } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

/** Teacher, student, int8 student and baseline side by side, over the seeds' runs. */
export function modelTable(runs: readonly RunResult[], sample = 'text'): string {
  const row = (name: string, pick: (run: RunResult) => ModelResult | null): string[] => {
    const models = runs.map(pick).filter((model) => model !== null);
    const { mean: speed } = spreadOf(models.map(({ throughput }) => throughput));
    return [
      name,
      percents(models.map(accuracyOf)),
      percents(models.map(({ macroF1 = Number.NaN }) => macroF1)),
      `${(spreadOf(models.map(({ bytes }) => bytes)).mean / 1e6).toFixed(1)} MB`,
      `${numbers(
        models.map(({ latencyMs }) => latencyMs.one),
        3,
      )} ms`,
      Math.round(speed).toLocaleString('en'),
    ];
  };
  const peers = (runs[0].baselines ?? []).filter(({ name }) => name !== 'labels');
  return markdownTable([
    ['', 'accuracy, %', 'macro-F1, %', 'size', `one ${sample}`, `${sample}s a second`],
    row('teacher', ({ teacher = null }) => teacher),
    row('student', ({ student }) => student),
    row('student, int8', ({ studentInt8 }) => studentInt8),
    row('baseline: the student without a teacher', ({ baseline }) => baseline),
    ...peers.map((peer) => row(peer.title, (run) => peerOf(run, peer.name)?.result ?? null)),
  ]);
}

function peerOf({ baselines = [] }: RunResult, name: string) {
  return baselines.find((one) => one.name === name);
}

/** How much the student has over the best of what learnt in one way, by run. */
function gainsOver(runs: readonly RunResult[], taughtBy: 'labels' | 'teacher'): number[] {
  return runs.map(({ student, baselines = [] }) => {
    const others = baselines
      .filter((one) => one.taughtBy === taughtBy)
      .map(({ result }) => accuracyOf(result));
    return accuracyOf(student) - Math.max(0, ...others);
  });
}

/** What a distillation came to, in one paragraph. */
export function modelText(runs: readonly RunResult[]): string {
  const drops = runs.map(({ gate }) => gate?.drop ?? 0);
  const seconds = runs.map((run) => run.seconds.total);
  const memory = Math.max(...runs.map(({ machine }) => machine.memoryPeakBytes));
  return [
    `Mean ± standard deviation over ${runs.length} seeds; a seed draws another split, other labels and other initial weights.`,
    `The student keeps ${percents(runs.map(({ retention }) => retention ?? Number.NaN))} % of the teacher's accuracy at ${numbers(
      runs.map(({ speedup }) => speedup ?? Number.NaN),
      1,
    )} times its throughput,`,
    `and has ${percents(gainsOver(runs, 'labels'))} points more than the best that learnt from the labels alone, ${percents(gainsOver(runs, 'teacher'))} more than the linear model that learnt from the same teacher. int8 changes it by ${percents(drops.map((drop) => -drop))} points.`,
    `The first run, with nothing in the store, took ${(seconds[0] / 60).toFixed(1)} minutes; the process took at most ${(memory / 1e9).toFixed(2)} GB.`,
    `Reading, tokenizing and measuring were ${percents(runs.map(otherShare))} % of the time.`,
  ].join(' ');
}

/** What is promised of every distillation of the glosses. */
export function studentClaims(runs: readonly RunResult[], teacherAccuracy: number): Claim[] {
  const worst = (values: readonly number[]) => Math.min(...values);
  return [
    {
      text: `every teacher is above ${100 * teacherAccuracy} %`,
      holds: worst(runs.map(({ teacher }) => accuracyOf(teacher))) > teacherAccuracy,
    },
    {
      text: 'every student has at least 15 times the throughput of its teacher',
      holds: worst(runs.map(({ speedup }) => speedup ?? Number.NaN)) >= 15,
    },
    {
      text: 'every student keeps at least 92 % of the accuracy of its teacher',
      holds: worst(runs.map(({ retention }) => retention ?? Number.NaN)) >= 0.92,
    },
    {
      text: 'int8 loses at most a point in every run',
      holds: worst(runs.map(({ gate }) => -(gate?.drop ?? 1))) >= -0.01,
    },
  ];
}

/** What is promised of the default run besides. */
export function defaultRunClaims(runs: readonly RunResult[]): Claim[] {
  const spread = (values: readonly number[]) => spreadOf(values).deviation;
  const students = spread(runs.map(({ student }) => accuracyOf(student)));
  const baselines = spread(runs.map(({ baseline }) => (baseline ? accuracyOf(baseline) : 0)));
  const overPeer = spreadOf(gainsOver(runs, 'teacher'));
  const accuracy = spreadOf(runs.map(({ student }) => accuracyOf(student))).mean;
  const int8 = Math.max(...runs.map(({ studentInt8 }) => studentInt8?.bytes ?? Number.POSITIVE_INFINITY));
  return [
    {
      text: 'the gain over the best that learnt from the labels alone is larger than the spread of either',
      holds: spreadOf(gainsOver(runs, 'labels')).mean > Math.max(students, baselines),
    },
    {
      text: 'the student is above the linear model of the same teacher by more than the spread of the difference',
      holds: overPeer.mean > overPeer.deviation,
    },
    { text: 'the student has at least 71 % on average', holds: accuracy >= 0.71 },
    { text: 'every int8 file is at most 1 MB', holds: int8 <= 1e6 },
    {
      text: 'the student has at least 30 times the throughput of its teacher',
      holds: spreadOf(runs.map(({ speedup }) => speedup ?? Number.NaN)).mean >= 30,
    },
    { text: 'the first run takes less than 5 minutes', holds: runs[0].seconds.total < 300 },
    {
      text: 'less than 1.5 GB of memory',
      holds: Math.max(...runs.map(({ machine }) => machine.memoryPeakBytes)) < 1.5e9,
    },
    {
      text: 'reading, tokenizing and measuring take less than 15 % of the first run',
      holds: otherShare(runs[0]) < 0.15,
    },
  ];
}

/** The part of a run that goes neither to the teacher and its labels nor to training. */
function otherShare({ seconds }: RunResult): number {
  return (seconds.data + seconds.evaluate) / seconds.total;
}
