import { join, relative } from 'node:path';
import { percent } from '../percent.ts';
import {
  baselinesOf,
  headlineOf,
  speedBesideTeacher,
  studentHeadline,
  worthOf,
} from '../report/conclusion.ts';
import { shutGate } from '../report/gate-sentences.ts';
import {
  type Gate,
  int8Ships,
  type ModelResult,
  type RunResult,
  shortName,
  type TrainResult,
} from '../report/result.ts';
import type { EvaluationResult, LabelResult } from '../run/api.ts';
import type { HostedPrice, Plan } from '../run/planning/stage-plan.ts';
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
  result: Pick<RunResult, 'student' | 'studentInt8' | 'gate'> &
    Partial<Pick<RunResult, 'teacher' | 'baseline' | 'baselines'>>,
): string {
  const { teacher, student, studentInt8, baseline = null, baselines } = result;
  const int8 = int8Ships(result) ? 'student int8' : 'student int8, kept back';
  const rows = [
    ...(teacher ? [modelRow('teacher', teacher)] : []),
    modelRow('student', student),
    ...(studentInt8 ? [modelRow(int8, studentInt8)] : []),
    ...baselinesOf({ student, baseline, baselines }).map((one) =>
      modelRow(plainLine(shortName(one.name)), one.result),
    ),
  ];
  return table([MODEL_COLUMNS, ...rows]);
}

/** What a person wants to know of a distillation, in a few lines. */
export function distillSummary(result: RunResult, out: string, workingFolder: string): string {
  const folder = plainLine(relative(workingFolder, out) || '.');
  const int8 =
    int8Ships(result) && result.speedupInt8 !== null
      ? ` The int8 file ${speedBesideTeacher(result.speedupInt8)}.`
      : '';
  const lines = [
    `${headlineOf(result, 'samples')}.${int8}`,
    ...worthOf(result, 'samples'),
    `It took ${formatDuration(result.seconds.total)}; the teacher answered ${counted(result.teacherCalls, 'sample')}, ${counted(result.teacherCallsSaved, 'answer')} ${result.teacherCallsSaved === 1 ? 'was' : 'were'} in the store.`,
    '',
    `  model   ${join(folder, 'student')}${contents(result)}`,
    `  report  ${join(folder, 'report.html')}`,
  ].map(asTyped);
  return `${modelTable(result)}\n${lines.join('\n')}\n`;
}

/** What a person wants to know of a training without a teacher. */
export function trainSummary(result: TrainResult, out: string, workingFolder: string): string {
  const folder = relative(workingFolder, out) || '.';
  const lines = [
    `${studentHeadline(result, 'samples')}.`,
    `It took ${formatDuration(result.seconds.total)}. The run is in ${folder}.`,
    '',
    `  model   ${join(folder, 'student')}${contents(result)}`,
    `  report  ${join(folder, 'report.html')}`,
  ].map(asTyped);
  return `${modelTable(result)}\n${lines.join('\n')}\n`;
}

/** Which models the student's folder holds. */
function contents(result: Pick<RunResult, 'studentInt8' | 'gate'>): string {
  if (int8Ships(result)) return ' (float32 and int8)';
  return result.studentInt8 ? ' (float32; the int8 file was kept back)' : ' (float32)';
}

function counted(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** Sentences of the report in the characters of a terminal. */
function asTyped(sentence: string): string {
  return plainLine(sentence.replaceAll('\u202f', ' ').replaceAll('\u2019', "'").replaceAll('\u2212', '-'));
}

/** What to say of a gate that stayed shut; undefined when it let the student pass. */
export function gateFailure(gate: Gate | null): string | undefined {
  if (!gate || gate.passed) return undefined;
  return plainLine(shutGate(gate));
}

/** A plan as a table with its totals. */
export function planSummary({ stages, store, measuredOn, price }: Plan): string {
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
${price ? priceText(price) : ''}`;
}

/** What a teacher behind an API is going to take, and who gets to read the samples. */
function priceText({ host, model, samples, requests, notes, ...price }: HostedPrice): string {
  const counts = Object.entries(samples)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${formatCount(count)} ${SENT[what as keyof HostedPrice['samples']]}`);
  const money = (amount: number | undefined) =>
    amount === undefined ? '' : `, ${amount.toFixed(amount < 1 ? 4 : 2)} ${price.currency}`;
  const tokens = price.inputTokens + price.outputTokens;
  const lines = [
    counts.length > 0
      ? `Samples that are sent to ${host} (${model}), which can read them: ${counts.join(', ')}.`
      : `Nothing is sent to ${host}: all answers are there.`,
    `That is about ${formatCount(requests)} requests, ${formatCount(tokens)} tokens${money(price.money)}; spent so far: ${formatCount(price.spentTokens)} tokens${money(price.spentMoney)}.`,
    ...(price.money === undefined ? ['The recipe gives no prices (teacher.prices).'] : []),
    ...(isBeyond(price)
      ? ['The budget (teacher.budget) is less than that: the run would stop on the way.']
      : []),
    `${notes.join('; ')}.`,
  ];
  return `\n${lines.map((line) => plainLine(line)).join('\n')}\n`;
}

const SENT = {
  check: 'to check the teacher',
  train: 'to train on',
  validation: 'to validate',
  test: 'to test',
} as const;

function isBeyond({
  budget,
  money,
  spentMoney,
  ...tokens
}: Pick<
  HostedPrice,
  'budget' | 'money' | 'spentMoney' | 'inputTokens' | 'outputTokens' | 'spentTokens'
>): boolean {
  const all = tokens.inputTokens + tokens.outputTokens + tokens.spentTokens;
  if (budget?.tokens !== undefined && all > budget.tokens) return true;
  return budget?.money !== undefined && (money ?? 0) + (spentMoney ?? 0) > budget.money;
}

/** What `label` did, in two lines. */
export function labelSummary({
  labelled,
  reused,
  repeated,
  bytes,
  seconds,
  precision,
  agreement,
}: LabelResult): string {
  const agreed =
    agreement === null ? '' : `, which decides as f32 does on ${percent(agreement, 2)} of a sample`;
  return `The ${precision} teacher${agreed}, answered ${formatCount(labelled)} samples in ${formatDuration(seconds)}.
${counted(reused, 'answer')} ${reused === 1 ? 'was' : 'were'} in the store, which now holds ${formatBytes(bytes)} of this teacher.${repeated > 0 ? ` ${counted(repeated, 'sample')} occur more than once.` : ''}
`;
}

/** A class without samples or answers has no share of them. */
function share(value: number | null): string {
  return value === null ? '–' : percent(value);
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
    share(row.precision),
    share(row.recall),
    share(row.f1),
  ]);
  const perClass =
    rows.length > 0 ? `\n${table([['', 'samples', 'precision', 'recall', 'F1'], ...rows])}` : '';
  return `${plainLine(model)} on ${formatCount(samples)} ${split} samples: accuracy ${percent(accuracy, 2)}, macro-F1 ${percent(macroF1, 2)}
${perClass}`;
}
