import { percent } from '../percent.ts';
import type { Evaluation, MetricInfo } from './metric.ts';

/** `57.8 %` for accuracy, which needs no name; `macro-F1 55.1 %`, `cross-entropy 0.512` for others. */
export function formatMetric(metric: MetricInfo, evaluation: Evaluation): string {
  const value = formatValue(metric, evaluation[metric.name] as number);
  return metric.name === 'accuracy' ? value : `${metric.title} ${value}`;
}

/** A value of a metric in its format; a dash where it is none. */
export function formatValue({ format }: Pick<MetricInfo, 'format'>, value: number): string {
  if (Number.isNaN(value)) return '–';
  return format === 'percent' ? percent(value) : value.toPrecision(3);
}
