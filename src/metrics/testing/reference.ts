import { readFileSync } from 'node:fs';
import { float32, tensor } from '../../onnx/tensor.ts';
import type { MeasuredBatch, Metric } from '../metric.ts';

/** What scikit-learn, scipy and COCO's algorithm give (scripts/metric-fixtures.py). */
export const REFERENCE = JSON.parse(readFileSync(new URL('./reference.json', import.meta.url), 'utf8'));

/** A batch whose truth is float32 [rows, width], or int32 classes; `filler` rows after them do not count. */
export function batchOf(truth: number[][] | number[], filler = 0, from = 0): MeasuredBatch {
  const rows = truth.length + filler;
  const classes = typeof truth[0] === 'number';
  const flat = (truth as (number[] | number)[]).flat();
  const padding = new Array<number>((filler * flat.length) / truth.length).fill(1);
  const data = [...flat, ...padding];
  return {
    filled: truth.length,
    ordinals: Uint32Array.from({ length: rows }, (_, row) => from + row),
    columns: {
      labels: classes
        ? tensor('int32', [rows], Int32Array.from(data))
        : float32(data, [rows, data.length / rows]),
    },
  };
}

/** Measures answers [n, width] in batches of seven, each with a row that fills it up. */
export function measure(metric: Metric, answers: number[][], truth: number[][] | number[]) {
  const state = metric.start();
  for (let from = 0; from < answers.length; from += 7) {
    const rows = [...answers.slice(from, from + 7), answers[0]!.map(() => 99)];
    const batch = batchOf(truth.slice(from, from + 7) as number[][], 1, from);
    metric.add(state, float32(rows.flat(), [rows.length, rows[0]!.length]), batch);
  }
  return { value: metric.value(state), interval: metric.interval?.(state) };
}
