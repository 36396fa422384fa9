import { rocArea } from './auroc.ts';
import { type Metric, metric } from './metric.ts';
import { columnOf, type OutputOptions, rowOf } from './output-rows.ts';

/**
 * Area under the ROC curve over all frames: logits [rows, frames, classes] against int32 [rows, frames], negative where a
 * frame has no class. A frame's score is the odds of its being of another class than the first, which stands for nothing.
 */
export function frameAuroc({ labels = 'labels' }: OutputOptions = {}): Metric {
  return metric<{ scores: number[]; truth: number[] }>({
    name: 'frameAuroc',
    title: 'AUROC of frames',
    better: 'higher',
    format: 'percent',
    start: () => ({ scores: [], truth: [] }),
    add({ scores, truth }, answers, { filled, columns }) {
      const classes = answers.dims[2] as number;
      const truths = columnOf(columns, labels);
      for (let row = 0; row < filled; row++) {
        const logits = rowOf(answers, row) as Float32Array;
        const known = rowOf(truths, row) as Int32Array;
        for (let frame = 0; frame < known.length; frame++) {
          const label = known[frame] as number;
          if (label < 0) continue;
          const [none, ...others] = logits.subarray(frame * classes, (frame + 1) * classes);
          scores.push(logSum(others) - (none as number));
          truth.push(label > 0 ? 1 : 0);
        }
      }
    },
    value: ({ scores, truth }) => rocArea(scores, truth).area,
  });
}

/** log(exp(a) + exp(b) + ...). */
function logSum(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}
