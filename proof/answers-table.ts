import type { ModelResult, RunResult } from '../src/index.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

/** A metric of an evaluation; NaN of a model that was not measured by it. */
export function metricOf(model: ModelResult | null | undefined, metric: string): number {
  return model?.metrics[metric] ?? Number.NaN;
}

/** What the student is compared with, in the order of the results. */
export function peersOf({ baselines = [] }: RunResult) {
  return baselines;
}

/** The student's part of its teacher's metric, by run. */
export function kept(runs: readonly RunResult[], metric: string): number[] {
  return runs.map(({ student, teacher }) => metricOf(student, metric) / metricOf(teacher, metric));
}

export interface MetricColumn {
  readonly metric: string;
  readonly title: string;
}

/** Teacher, student, int8, plain KD and baselines side by side, whatever they answer. Metrics as parts of 100. */
export function answersTable(options: {
  readonly runs: readonly RunResult[];
  /** Where the student is not plain KD itself. */
  readonly plain?: readonly RunResult[];
  readonly plainTitle?: string;
  /** What one sample is called. */
  readonly sample: string;
  readonly columns: readonly MetricColumn[];
}): string {
  const { runs, plain, plainTitle = 'plain KD', sample, columns } = options;
  const row = (name: string, models: readonly (ModelResult | null | undefined)[]): string[] => {
    const known = models.filter((model): model is ModelResult => Boolean(model));
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
  const [first] = runs as [RunResult];
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
    ...(plain
      ? [
          row(
            plainTitle,
            plain.map(({ student }) => student),
          ),
        ]
      : []),
    ...baselines,
  ]);
}
