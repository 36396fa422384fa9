import type { Metric } from '../metrics/metric.ts';
import type { MeasureContext } from './target.ts';

/** A metric that is measured beside a target's own. */
export interface AddedMetric {
  /** The kind of the target: `class`, `number`. */
  readonly target: string;
  make(context: MeasureContext<Readonly<Record<string, unknown>>, unknown>): Metric;
}

const added: AddedMetric[] = [];

/** Measures one more number of every output of a target's kind. */
export function registerMetric(metric: AddedMetric): void {
  if (!added.includes(metric)) added.push(metric);
}

/** The metrics that were added to a target's own. */
export function addedMetrics(target: string, context: Parameters<AddedMetric['make']>[0]): Metric[] {
  return added.filter((one) => one.target === target).map((one) => one.make(context));
}
