import { type Evaluation, isBetter } from '../metrics/metric.ts';
import type { Formulations } from '../onnx/formulations.ts';
import type { BestSoFar, MetricsRow, ModelSelection } from './early-stopping.ts';
import type { StageState } from './training-stage.ts';

export type { MetricsRow };

/** The part of a training's state that is not tensors; a checkpoint holds it as JSON. */
export interface ProgressState {
  best?: BestSoFar;
  /** Absent before the first step. */
  stage?: StageState;
  /** Whether the training came to its end with it: an earlier checkpoint is not what it left. */
  finished?: boolean;
  /** How the convolutions of its steps are computed, where that was measured: it goes on with the same, to the same bits. */
  formulations?: Formulations;
  /** Samples seen. */
  samples: number;
  /** Wall time, with that of the runs before an interruption. */
  seconds: number;
  metrics: MetricsRow[];
  /** Sums of what the steps since the last row measured, and how many steps measured it: stages have other terms. */
  sums: Record<string, number>;
  counts: Record<string, number>;
}

/** Follows a training: means of its losses between rows of metrics, its best evaluation, its time. */
export class TrainingProgress {
  readonly state: ProgressState;
  readonly #started: number;

  /** Goes on from the JSON of a checkpoint, or begins. */
  constructor(saved?: string) {
    this.state = saved
      ? (JSON.parse(saved) as ProgressState)
      : { samples: 0, seconds: 0, metrics: [], sums: {}, counts: {} };
    this.#started = performance.now() - this.state.seconds * 1000;
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** The state as JSON, its time brought up to now. */
  toJson(): string {
    this.state.seconds = this.seconds;
    return JSON.stringify(this.state);
  }

  /** Counts one step: the samples in it and what it measured. */
  addStep(samples: number, values: Readonly<Record<string, number>>): void {
    this.state.samples += samples;
    for (const [name, value] of Object.entries(values)) {
      this.state.sums[name] = (this.state.sums[name] ?? 0) + value;
      this.state.counts[name] = (this.state.counts[name] ?? 0) + 1;
    }
  }

  /** Keeps an evaluation at `step`, and says whether it is the best so far. */
  addEvaluation(step: number, evaluation: Evaluation, metric: ModelSelection['metric']): boolean {
    if (!isBetter(metric, evaluation, this.state.best?.evaluation)) return false;
    this.state.best = { step, evaluation };
    return true;
  }

  /** Closes a row of metrics: the means since the last one, and `more`. */
  addRow(step: number, more: MetricsRow): MetricsRow {
    const means = Object.entries(this.state.sums).map(([name, sum]) => [
      name,
      sum / (this.state.counts[name] as number),
    ]);
    const row: MetricsRow = { step, seconds: this.seconds, ...Object.fromEntries(means), ...more };
    this.state.metrics.push(row);
    this.state.sums = {};
    this.state.counts = {};
    return row;
  }
}
