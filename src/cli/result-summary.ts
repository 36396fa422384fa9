import { join, relative } from 'node:path';
import { percent } from '../percent.ts';
import { shutGate } from '../report/gate-sentences.ts';
import type { Gate, ModelResult, RunResult } from '../report/result.ts';
import type { EvaluationResult, LabelResult, Plan } from '../run/api.ts';
import { formatBytes, formatCount, formatDuration, plainLine } from './progress/format.ts';
import { table } from './table.ts';

const MODEL_COLUMNS = ['', 'accuracy', 'macro-F1', 'size', 'parameters', 'one', '32 at once', 'a second'];

function modelRow(name: string, model: ModelResult): string[] {
  return [
    name,
    percent(model.accuracy),
    percent(model.macroF1),
    formatBytes(model.bytes),
    formatCount(model.parameters),
    `${model.latencyMs.one.toFixed(2)} ms`,
    `${model.latencyMs.thirtyTwo.toFixed(2)} ms`,
    formatCount(model.throughput),
  ];
}

/** The models side by side; those that a run does not have are left out. */
export function modelTable(
  models: Partial<Record<'teacher' | 'student' | 'studentInt8' | 'baseline', ModelResult | null>>,
): string {
  const names = {
    teacher: 'teacher',
    student: 'student',
    studentInt8: 'student int8',
    baseline: 'baseline',
  } as const;
  const rows = (Object.keys(names) as (keyof typeof names)[]).flatMap((key) => {
    const model = models[key];
    return model ? [modelRow(names[key], model)] : [];
  });
  return table([MODEL_COLUMNS, ...rows]);
}

/** What a person wants to know of a distillation, in a few lines. */
export function distillSummary(result: RunResult, out: string, workingFolder: string): string {
  const folder = relative(workingFolder, out) || '.';
  const int8 = result.speedupInt8 === null ? '' : ` (int8: ${times(result.speedupInt8)})`;
  const lines = [
    `The student keeps ${percent(result.retention)} of the teacher's accuracy at ${times(result.speedup)} its throughput${int8}.`,
    ...(result.baseline ? [baselineLine(result.student.accuracy - result.baseline.accuracy)] : []),
    `It took ${formatDuration(result.seconds.total)}; the teacher answered ${formatCount(result.teacherCalls)} samples, ${formatCount(result.teacherCallsSaved)} answers were in the store.`,
    '',
    `  model   ${join(folder, 'student')}`,
    `  report  ${join(folder, 'report.html')}`,
  ];
  return `${modelTable(result)}\n${lines.join('\n')}\n`;
}

function baselineLine(margin: number): string {
  const points = `${Math.abs(margin * 100).toFixed(1)} points`;
  return margin >= 0
    ? `Without the teacher it would have ${points} less.`
    : `Without the teacher it has ${points} more: this distillation did not help.`;
}

/** `21 times` */
function times(factor: number): string {
  return `${factor.toFixed(factor < 9.95 ? 1 : 0)} times`;
}

/** What to say of a gate that stayed shut; undefined when it let the student pass. */
export function gateFailure(gate: Gate | null): string | undefined {
  if (!gate || gate.passed) return undefined;
  return plainLine(shutGate(gate));
}

/** A plan as a table with its totals. */
export function planSummary({ stages, store, measuredOn }: Plan): string {
  const rows = stages.map(({ stage, seconds, memoryBytes, diskBytes, note }) => [
    stage,
    formatDuration(seconds),
    formatBytes(memoryBytes),
    formatBytes(diskBytes),
    plainLine(note),
  ]);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const seconds = sum(stages.map((stage) => stage.seconds));
  const atMost = sum(stages.map(({ secondsAtMost }) => secondsAtMost));
  const total = [
    'in all',
    formatDuration(seconds),
    formatBytes(Math.max(0, ...stages.map(({ memoryBytes }) => memoryBytes))),
    formatBytes(sum(stages.map(({ diskBytes }) => diskBytes))),
    atMost > seconds ? `${formatDuration(atMost)} at most` : '',
  ];
  const answers = `${formatCount(store.present)} of ${formatCount(store.present + store.missing)}`;
  return `${table([['', 'time', 'memory', 'disk', ''], ...rows, total], [0, 4])}
The store has ${answers} teacher's answers (${formatBytes(store.bytes)}).
Measured on ${plainLine(measuredOn)}.
`;
}

/** What `label` did, in two lines. */
export function labelSummary({
  labelled,
  reused,
  bytes,
  seconds,
  precision,
  agreement,
}: LabelResult): string {
  const agreed =
    agreement === null ? '' : `, which decides as f32 does on ${percent(agreement, 2)} of a sample`;
  return `The ${precision} teacher${agreed}, answered ${formatCount(labelled)} samples in ${formatDuration(seconds)}.
${formatCount(reused)} answers were in the store, which holds ${formatBytes(bytes)} of this teacher.
`;
}

/** An evaluation: the totals, then a line a class. */
export function evaluationSummary({
  split,
  model,
  samples,
  accuracy,
  macroF1,
  classes,
}: EvaluationResult): string {
  const rows = classes.map((row) => [
    plainLine(row.label),
    formatCount(row.samples),
    percent(row.precision),
    percent(row.recall),
    percent(row.f1),
  ]);
  const perClass =
    rows.length > 0 ? `\n${table([['', 'samples', 'precision', 'recall', 'F1'], ...rows])}` : '';
  return `${plainLine(model)} on ${formatCount(samples)} ${split} samples: accuracy ${percent(accuracy, 2)}, macro-F1 ${percent(macroF1, 2)}
${perClass}`;
}
