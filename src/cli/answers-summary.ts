import { join, relative } from 'node:path';
import { formatValue } from '../metrics/format-metric.ts';
import { answersHeadline, answersWorth } from '../report/answers-conclusion.ts';
import type { AnswersModel, AnswersResult } from '../report/answers-result.ts';
import { int8Ships, shortName } from '../report/result.ts';
import type { AnswersEvaluationResult } from '../run/api.ts';
import { formatBytes, formatCount, formatDuration, plainLine } from './progress/format.ts';
import { table } from './table.ts';

/** Metrics that fit beside each other in a terminal. */
const MOST_METRICS = 4;

/** What a person wants to know of a run whose models answer with anything but one class, in a few lines. */
export function answersSummary(result: AnswersResult, out: string, workingFolder: string): string {
  const folder = plainLine(relative(workingFolder, out) || '.');
  const ships = int8Ships(result);
  const calls = result.teacherCalls;
  const lines = [
    `${answersHeadline(result)}.`,
    ...answersWorth(result),
    `It took ${formatDuration(result.seconds.total)}${calls === undefined ? '' : `; the teacher answered ${formatCount(calls)} samples`}.`,
    '',
    `  model   ${join(folder, 'student')}${ships ? ' (float32 and int8)' : ' (float32)'}`,
    `  report  ${join(folder, 'report.html')}`,
  ].map(plainLine);
  return `${modelTable(result, ships)}\n${lines.join('\n')}\n`;
}

function modelTable({ metrics, ...result }: AnswersResult, ships: boolean): string {
  const shown = metrics.slice(0, MOST_METRICS);
  const row = (name: string, model: AnswersModel) => [
    plainLine(name),
    ...shown.map((metric) => formatValue(metric, model.metrics[metric.name] ?? Number.NaN)),
    formatBytes(model.bytes),
    formatCount(model.parameters),
    `${model.latencyMs.one.toFixed(2)} ms`,
    formatCount(model.throughput),
  ];
  const int8 = ships ? 'student int8' : 'student int8, kept back';
  return table([
    ['', ...shown.map(({ title }) => plainLine(title)), 'size', 'parameters', 'one', 'a second'],
    ...(result.teacher ? [row('teacher', result.teacher)] : []),
    row('student', result.student),
    ...(result.studentInt8 ? [row(int8, result.studentInt8)] : []),
    ...(result.baselines ?? []).map(({ name, result: own }) => row(shortName(name), own)),
  ]);
}

/** An evaluation of such a model: a line a metric. */
export function answersEvaluationSummary({
  split,
  model,
  samples,
  metrics,
}: AnswersEvaluationResult): string {
  const rows = metrics.map((metric) => [plainLine(metric.title), formatValue(metric, metric.value)]);
  return `${plainLine(model)} on ${formatCount(samples)} ${split} samples:\n${table(rows)}`;
}
