import { labelsOf } from '../../data/batch.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import type { TaskData } from '../context/task.ts';
import type { TeacherAnswers } from '../teaching/lessons.ts';

/** Rows read at once; nothing is computed on them but a softmax. */
const ROWS = 256;

/**
 * How hard each training sample is to its teacher, by bucket: 1 minus the probability, in the answers that are kept, of
 * its label or, without one, of the teacher's own answer. Of pictures in several views the first is asked about.
 *
 * Weinshall, Cohen and Amir, "Curriculum Learning by Transfer Learning: Theory and Experiments with Deep Networks"
 * (2018), section 3: the confidence of a trained network as the difficulty of samples for another one.
 */
export function teacherDifficulty(
  { asked, dataset }: Pick<TaskData, 'asked' | 'dataset'>,
  { spaces }: Pick<TeacherAnswers, 'spaces'>,
): Float32Array[] {
  const logits = spaces.get('logits');
  if (!logits) throw new Error('no answers of the teacher were kept');
  return dataset.splits.train.buckets.map(({ size }, bucket) => {
    const difficulty = new Float32Array(size);
    for (let from = 0; from < size; from += ROWS) {
      const rows = Math.min(ROWS, size - from);
      const indices = Uint32Array.from({ length: rows }, (_, row) => from + row);
      const batch = asked.readBatch(bucket, indices, rows);
      const answers = readKnowledge(logits, batch).data as Float32Array;
      const labels = labelsOf(batch);
      const classes = answers.length / rows;
      for (let row = 0; row < rows; row++) {
        const own = answers.subarray(row * classes, (row + 1) * classes);
        difficulty[from + row] = 1 - probability(own, labels[row] as number);
      }
    }
    return difficulty;
  });
}

/** The softmax of the logits at `label`, or their highest one where that is -1. */
function probability(logits: Float32Array, label: number): number {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return (label < 0 ? 1 : Math.exp((logits[label] as number) - highest)) / sum;
}
