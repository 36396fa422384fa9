import { LimbeckError } from '../errors.ts';
import type { Answers, MeasuredBatch } from './metric.ts';

/** What a classifier said of one labelled sample. */
export interface LogitsRow {
  /** The sample's position in its split. */
  readonly ordinal: number;
  readonly label: number;
  /** The class with the largest logit. */
  readonly answer: number;
  /** The probability of the answer. */
  readonly confidence: number;
  /** Minus the log of the label's probability, in nats. */
  readonly crossEntropy: number;
}

/** What metrics over one class a sample are made for. */
export interface ClassMetricOptions {
  /** The column with the true classes, int32 [rows]; `labels` when absent. */
  readonly labels?: string;
  /** Between which classes the answer to a sample of a class is sought; all when absent. */
  readonly among?: (label: number) => readonly number[];
}

/**
 * Reads the logits [rows, classes] of a batch's samples that have a label. `among` says between which classes the answer
 * to a sample of a class is sought: all of them when absent.
 * Throws LimbeckError `engine.not-finite` for NaN: an answer must not be made of it.
 */
export function* readLogits(
  logits: Answers,
  batch: MeasuredBatch,
  { labels: name = 'labels', among }: ClassMetricOptions = {},
): Generator<LogitsRow> {
  const column = batch.columns[name];
  if (!column) throw new Error(`a batch without the column ${name}`);
  const data = logits.data as Float32Array;
  const labels = column.data as Int32Array;
  const classes = logits.dims[1];
  const all = Array.from({ length: classes }, (_, c) => c);
  for (let row = 0; row < batch.filled; row++) {
    const label = labels[row];
    if (label < 0) continue;
    const values = data.subarray(row * classes, (row + 1) * classes);
    const choices = among?.(label) ?? all;
    let [answer] = choices;
    for (const c of choices) if (values[c] > values[answer]) answer = c;
    let sum = 0;
    for (const c of choices) sum += Math.exp(values[c] - values[answer]);
    if (!Number.isFinite(sum)) {
      throw new LimbeckError('engine.not-finite', 'a model answered NaN or infinite logits', {
        where: `sample ${batch.ordinals[row]} of its split`,
        remedy: 'The model is damaged, or its training diverged: train it again with a lower learning rate.',
      });
    }
    const crossEntropy = Math.log(sum) - (values[label] - values[answer]);
    yield { ordinal: batch.ordinals[row], label, answer, confidence: 1 / sum, crossEntropy };
  }
}
