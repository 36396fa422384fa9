import { tensor } from '../onnx/tensor.ts';
import type { Answers, MeasuredBatch } from './metric.ts';
import { rowOf } from './output-rows.ts';
import { SCORES, tokenScores } from './token-scores.ts';

/** Numbers that are kept of each place of a sentence: those of `tokenScores`, and the number of the word that was written. */
export const SENTENCE_SCORES = SCORES + 1;
/** Stands at the first place where a model was not asked to write. */
export const NOT_WRITTEN = -1;

/**
 * What is kept of a model's answers about sentences, float32 [rows, length, 3].
 *
 * @param answers logits [rows, length, words] after the true words before each
 * @param written what the model wrote by itself, int32 [rows, length]; absent where it was not asked to
 * @throws LimbeckError `engine.not-finite` as `tokenScores`
 */
export function sentenceScores(
  answers: Answers,
  batch: MeasuredBatch,
  labels: string,
  written: Answers | undefined,
): Answers {
  const scores = tokenScores(answers, batch, labels);
  const [rows, length] = scores.dims as [number, number];
  const all = new Float32Array(rows * length * SENTENCE_SCORES).fill(NOT_WRITTEN);
  for (let row = 0; row < rows; row++) {
    const own = rowOf(scores, row) as Float32Array;
    const words = written && (rowOf(written, row) as Int32Array);
    for (let place = 0; place < length; place++) {
      const at = (row * length + place) * SENTENCE_SCORES;
      all[at] = own[place * SCORES] as number;
      all[at + 1] = own[place * SCORES + 1] as number;
      if (words) all[at + 2] = words[place] as number;
    }
  }
  return tensor('float32', [rows, length, SENTENCE_SCORES], all);
}
