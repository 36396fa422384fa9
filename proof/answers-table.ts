import type { AnswersModel, AnswersResult } from '../src/report/answers-result.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

/** A metric of an evaluation; NaN of a model that was not measured by it. */
export function metricOf(model: AnswersModel | null | undefined, metric: string): number {
  return model?.metrics[metric] ?? Number.NaN;
}

/** What the student is compared with, in the order of the results. */
export function peersOf({ baselines = [] }: AnswersResult) {
  return baselines;
}

/** The student's part of its teacher's metric, by run. */
export function kept(runs: readonly AnswersResult[], metric: string): number[] {
  return runs.map(({ student, teacher }) => metricOf(student, metric) / metricOf(teacher, metric));
}

export interface MetricColumn {
  readonly metric: string;
  readonly title: string;
}

/** Teacher, student, int8, plain KD and baselines side by side, whatever they answer. Metrics as parts of 100. */
export function answersTable(options: {
  readonly runs: readonly AnswersResult[];
  readonly plain: readonly AnswersResult[];
  readonly plainTitle: string;
  /** What one sample is called. */
  readonly sample: string;
  readonly columns: readonly MetricColumn[];
}): string {
  const { runs, plain, plainTitle, sample, columns } = options;
  const row = (name: string, models: readonly (AnswersModel | null | undefined)[]): string[] => {
    const known = models.filter((model): model is AnswersModel => Boolean(model));
    const speed = spreadOf(known.map(({ throughput }) => throughput)).mean;
    return [
      name,
      ...columns.map(({ metric }) => percents(known.map((model) => metricOf(model, metric)))),
      `${(spreadOf(known.map(({ bytes }) => bytes)).mean / 1e6).toFixed(1)} MB`,
      `${numbers(
        known.map(({ latencyMs }) => latencyMs.one),
        3,
      )} ms`,
      Math.round(speed).toLocaleString('en'),
    ];
  };
  const [first] = runs as [AnswersResult];
  const baselines = peersOf(first).map(({ name, title }) =>
    row(
      name === 'labels' ? 'baseline: the student without a teacher' : title,
      runs.map((run) => peersOf(run).find((peer) => peer.name === name)?.result),
    ),
  );
  return markdownTable([
    ['', ...columns.map(({ title }) => title), 'size', `one ${sample}`, `${sample}s a second`],
    row(
      'teacher',
      runs.map(({ teacher }) => teacher),
    ),
    row(
      'student',
      runs.map(({ student }) => student),
    ),
    row(
      'student, int8',
      runs.map(({ studentInt8 }) => studentInt8),
    ),
    row(
      plainTitle,
      plain.map(({ student }) => student),
    ),
    ...baselines,
  ]);
}
