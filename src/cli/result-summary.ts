import { join, relative } from 'node:path';
import { PRECISIONS } from '../export/precisions.ts';
import { formatValue } from '../metrics/format-metric.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { percent } from '../percent.ts';
import { compressionLines } from '../report/compression.ts';
import {
  baselinesOf,
  headlineOf,
  speedBesideTeacher,
  studentHeadline,
  worthOf,
} from '../report/conclusion.ts';
import { exitLines } from '../report/exits-result.ts';
import { shutGate } from '../report/gate-sentences.ts';
import { mixedLines } from '../report/layer-precisions.ts';
import {
  int8Ships,
  isDistilled,
  type ModelResult,
  metricValue,
  type ReferenceResult,
  type RunResult,
  shippingPrecisions,
  shortName,
  type TrainResult,
} from '../report/result.ts';
import { studentShips } from '../report/runtime-gates.ts';
import { runtimeLines, shutRuntimes } from '../report/runtime-sentences.ts';
import type { EvaluationResult, LabelResult } from '../run/api.ts';
import type { HostedPrice, Plan } from '../run/planning/stage-plan.ts';
import { REJECTED_STUDENT } from '../run/shipping/rejected-student.ts';
import { formatBytes, formatCount, formatDuration, plainLine } from './progress/format.ts';
import { table } from './table.ts';

/** Metrics that fit beside each other in a terminal. */
const MOST_METRICS = 4;

/** The models side by side; those that a run does not have are left out. */
export function modelTable(result: TrainResult | RunResult): string {
  const { student, studentInt8, further = [] } = result;
  const metrics = result.metrics.slice(0, MOST_METRICS);
  const row = (name: string, model: ModelResult): string[] => [
    plainLine(name),
    ...metrics.map((metric) => formatValue(metric, metricValue(model, metric))),
    formatBytes(model.bytes),
    formatCount(model.parameters),
    `${model.latencyMs.one.toFixed(2)} ms`,
    `${model.latencyMs.thirtyTwo.toFixed(2)} ms`,
    formatCount(model.throughput),
  ];
  const titles = metrics.map(({ title }) => plainLine(title));
  const distilled = isDistilled(result) ? result : undefined;
  return table([
    ['', ...titles, 'size', 'parameters', 'one', '32 at once', 'a second'],
    ...(distilled?.teacher ? [row('teacher', distilled.teacher)] : []),
    row(studentShips(result) ? 'student' : 'student, kept back', student),
    ...(studentInt8
      ? [row(int8Ships(result) ? 'student int8' : 'student int8, kept back', studentInt8)]
      : []),
    ...further.map((one) =>
      row(
        `student ${one.precision}${one.gate.passed && studentShips(result) ? '' : ', kept back'}`,
        one.result,
      ),
    ),
    ...(distilled ? baselinesOf(distilled) : (result.baselines ?? [])).map((one) =>
      row(shortName(one.name), one.result),
    ),
  ]);
}

/** What a person wants to know of a run, in a few lines. */
export function runSummary(result: TrainResult | RunResult, out: string, workingFolder: string): string {
  const folder = plainLine(relative(workingFolder, out) || '.');
  const lines = [
    ...(isDistilled(result) ? distilledLines(result) : trainedLines(result, folder)),
    ...compressionLines(result.compression).map((line) => `Compressed by ${plainLine(line)}.`),
    ...mixedLines(result).map((line) => `Precision: ${plainLine(line)}.`),
    ...exitLines(result.exits).map((line) => `Leaving early: ${plainLine(line)}.`),
    ...(result.references ?? []).map((one) => plainLine(referenceLine(one, result.metrics))),
    ...runtimeLines(result).map((line) => `Measured ${plainLine(line)}.`),
    '',
    studentShips(result)
      ? `  model   ${join(folder, 'student')}${contents(result)}`
      : `  model   none ships; it was kept back in ${join(folder, REJECTED_STUDENT)}`,
    `  report  ${join(folder, 'report.html')}`,
  ].map(asTyped);
  return `${modelTable(result)}\n${lines.join('\n')}\n`;
}

/** `Beside that, a trigram model of 1,000 training tokens (Kneser-Ney): perplexity 210.5, bits per byte 2.31.` */
function referenceLine({ title, metrics: known }: ReferenceResult, metrics: readonly MetricInfo[]): string {
  const told = metrics.flatMap((metric) => {
    const value = known[metric.name];
    return value === undefined || value === null ? [] : [`${metric.title} ${formatValue(metric, value)}`];
  });
  return `Beside that, ${title}: ${told.join(', ')}.`;
}

function distilledLines(result: RunResult): string[] {
  const { speedupInt8, seconds, teacherCalls, teacherCallsSaved: saved } = result;
  const int8 =
    int8Ships(result) && speedupInt8 !== null ? ` The int8 file ${speedBesideTeacher(speedupInt8)}.` : '';
  return [
    `${headlineOf(result, 'samples')}.${int8}`,
    ...worthOf(result, 'samples'),
    `It took ${formatDuration(seconds.total)}; the teacher answered ${counted(teacherCalls, 'sample')}, ${counted(saved, 'answer')} ${saved === 1 ? 'was' : 'were'} in the store.`,
  ];
}

function trainedLines(result: TrainResult, folder: string): string[] {
  return [
    `${studentHeadline(result, 'samples')}.`,
    `It took ${formatDuration(result.seconds.total)}. The run is in ${folder}.`,
  ];
}

/** Which models the student's folder holds. */
function contents(result: Pick<RunResult, 'studentInt8' | 'gate' | 'further'>): string {
  const ships = shippingPrecisions(result).map((precision) => PRECISIONS[precision].title);
  const listed = [ships.slice(0, -1).join(', '), ships.at(-1)].filter(Boolean).join(' and ');
  const back = [
    ...(result.studentInt8 && !int8Ships(result) ? ['int8'] : []),
    ...(result.further ?? []).filter(({ gate }) => !gate.passed).map(({ precision }) => precision),
  ];
  if (back.length === 0) return ` (${listed})`;
  return ` (${listed}; the ${back.join(' and ')} file${back.length > 1 ? 's were' : ' was'} kept back)`;
}

function counted(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** Sentences of the report in the characters of a terminal. */
function asTyped(sentence: string): string {
  return plainLine(sentence.replaceAll('\u202f', ' ').replaceAll('\u2019', "'").replaceAll('\u2212', '-'));
}

/** What to say of gates that stayed shut, a line each; undefined when they let all files pass. */
export function gateFailure(
  result: Pick<TrainResult, 'gate' | 'further' | 'runtimeGates' | 'metrics'>,
): string | undefined {
  const { gate, further = [], metrics } = result;
  const gates = [...(gate ? [{ precision: 'int8' as const, gate }] : []), ...further];
  const told = [
    ...gates
      .filter((one) => !one.gate.passed)
      .map((one) => shutGate({ gate: one.gate, metrics }, one.precision)),
    ...shutRuntimes(result),
  ];
  return told.length > 0 ? told.map(asTyped).join('\n  ') : undefined;
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

/** An evaluation: the totals, then a line a class, where there are classes. */
export function evaluationSummary({
  split,
  model,
  samples,
  metrics,
  classes = [],
}: EvaluationResult): string {
  const told = metrics.map((metric) => {
    const value = metric.format === 'percent' ? percent(metric.value, 2) : formatValue(metric, metric.value);
    return `${plainLine(metric.title)} ${Number.isNaN(metric.value) ? '–' : value}`;
  });
  const rows = classes.map((row) => [
    plainLine(row.label),
    formatCount(row.samples),
    share(row.precision),
    share(row.recall),
    share(row.f1),
  ]);
  const perClass =
    rows.length > 0 ? `\n${table([['', 'samples', 'precision', 'recall', 'F1'], ...rows])}` : '';
  return `${plainLine(model)} on ${formatCount(samples)} ${split} samples: ${told.join(', ')}
${perClass}`;
}
