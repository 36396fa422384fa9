import { type BucketSizes, batchCount, secondsForSplit } from './batch-counts.ts';
import type { EvaluationCost } from './measure-evaluation.ts';
import type { TrainingCost } from './measure-training.ts';

/** A training, as far as its time goes. */
export interface TrainingWork {
  readonly split: BucketSizes;
  readonly batchSize: number;
  readonly epochs: number;
  /** Steps between evaluations; an epoch when that is less, or when absent. */
  readonly evaluateEvery?: number;
  readonly checkpointEverySeconds: number;
  /** Seconds of one step, by length. */
  readonly step: ReadonlyMap<number, number>;
  readonly cost: TrainingCost;
  /** Seconds of one evaluation on the validation split, and to make it possible. */
  readonly evaluation: { readonly seconds: number; readonly prepareSeconds: number };
  /** Compiled steps; one for each length that has samples when absent. */
  readonly variants?: number;
}

/** Seconds of a training that does all its epochs. */
export function trainingSeconds(work: TrainingWork): number {
  const { split, batchSize, epochs, cost, evaluation } = work;
  const perEpoch = batchCount(split, batchSize);
  const evaluations = evaluationCount(perEpoch, epochs, work.evaluateEvery);
  const variants = work.variants ?? split.buckets.filter(({ size }) => size > 0).length;
  const seconds =
    epochs * secondsForSplit(split, batchSize, work.step) +
    evaluations * (cost.probe.seconds + evaluation.seconds) +
    variants * cost.prepareSeconds +
    Math.min(variants, evaluations) * cost.probe.prepareSeconds +
    evaluation.prepareSeconds;
  return seconds + (1 + Math.floor(seconds / work.checkpointEverySeconds)) * cost.checkpoint.seconds;
}

/** How often a training evaluates: every so many steps, and at its end. */
export function evaluationCount(perEpoch: number, epochs: number, evaluateEvery = perEpoch): number {
  return perEpoch === 0 ? 0 : Math.ceil((perEpoch * epochs) / Math.min(evaluateEvery, perEpoch));
}

/** What a student's evaluation on one split takes each time, and once. */
export function evaluationOf(split: BucketSizes, { batch, rows, prepareSeconds }: EvaluationCost) {
  return {
    seconds: secondsForSplit(split, rows, batch),
    prepareSeconds: split.buckets.filter(({ size }) => size > 0).length * prepareSeconds,
  };
}
