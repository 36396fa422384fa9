import type { Evaluation, MetricInfo } from '../metrics/metric.ts';

/** A line of metrics: numbers by name. */
export type MetricsRow = Record<string, number | string>;

/** How the best parameters are chosen, and when training gives up. */
export interface ModelSelection {
  readonly metric: MetricInfo;
  /** Epochs without a better evaluation before training stops; all steps are done when absent. */
  readonly patience?: number;
  /** What else ends a training, by its rows of metrics; asked before each step. */
  isLost?(rows: readonly MetricsRow[]): boolean;
}

/** The best evaluation so far; plain data, so that a checkpoint can hold it. */
export interface BestSoFar {
  readonly step: number;
  readonly evaluation: Evaluation;
}

/**
 * Whether the best evaluation lies so many epochs back that training stops at `step`. It counts from `began` at the
 * earliest: a stage that has just begun has had no time to find a better one.
 */
export function patienceIsOver(
  { patience }: ModelSelection,
  best: BestSoFar | undefined,
  step: number,
  stepsPerEpoch: number,
  began = 0,
): boolean {
  if (patience === undefined || best === undefined) return false;
  return step - Math.max(best.step, began) >= patience * stepsPerEpoch;
}
