import type { Tensor } from '../onnx/tensor.ts';
import type { Interval } from './interval.ts';

/** What a head answered to a batch, [rows, ...]; only the first `filled` rows of the batch count. */
export type Answers = Tensor;

/** What a metric needs to know of the batch that was answered: any batch of columns has it. */
export interface MeasuredBatch {
  /** Rows that are samples; those after them fill the batch up. */
  readonly filled: number;
  /** Positions of the samples in their split, for errors and for metrics over neighbours. */
  readonly ordinals: ArrayLike<number>;
  /** By name, [rows, ...]: `labels` of the main output, `labels/OUTPUT` of others, `row_weights/OUTPUT`, `attention_mask`. */
  readonly columns: Readonly<Record<string, Tensor>>;
}

/** What a person and a selection have to know of a metric. */
export interface MetricInfo {
  /** Its key in an evaluation, e.g. `macroF1`; two metrics of a head have different ones. */
  readonly name: string;
  /** For people, e.g. `macro-F1`. */
  readonly title: string;
  readonly better: 'higher' | 'lower';
  /** `percent`: a fraction of 1 that is told in percent. */
  readonly format: 'percent' | 'number';
}

/**
 * A number over a split. It is made for one output of a model (`accuracy({ labels: 'labels' })`) and accumulates batch
 * by batch, so that no split has to fit into memory, but where the number itself needs all answers (ranks, neighbours).
 *
 * @example
 * const metric = accuracy();
 * const state = metric.start();
 * for (const batch of batches) metric.add(state, await answer(batch), batch);
 * metric.value(state); // 0.93
 */
export interface Metric<State = unknown> extends MetricInfo {
  start(): State;
  /** Counts the filled rows whose truth is known. Throws LimbeckError `engine.not-finite` where an answer is no number. */
  add(state: State, answers: Answers, batch: MeasuredBatch): void;
  /** NaN where nothing was counted that the number could be made of. */
  value(state: State): number;
  /** The 95 % interval of the value, where there is a way to know it. May take seconds: for results, not for each step. */
  interval?(state: State): Interval;
}

/** Metrics of one evaluation, by name; with several heads `OUTPUT/NAME`. */
export type Evaluation = Readonly<Record<string, number>>;

/** Gives a metric's state its type back once it stands in a list. */
export function metric<State>(definition: Metric<State>): Metric {
  return definition as Metric<unknown> as Metric;
}

/** Whether `candidate` is better than `best`; the first is better than none, and any number than NaN. */
export function isBetter(
  { name, better }: Pick<MetricInfo, 'name' | 'better'>,
  candidate: Evaluation,
  best: Evaluation | undefined,
): boolean {
  if (!best) return true;
  const [now, before] = [candidate[name] as number, best[name] as number];
  if (Number.isNaN(before)) return !Number.isNaN(now);
  return better === 'lower' ? now < before : now > before;
}
