import { LimbeckError } from '../errors.ts';
import type { Answer } from './report-data.ts';

/**
 * The answer in one row of logits [rows, classes]: the first largest class, and its softmax probability.
 * Logits that are not finite are an error of the model's file, told with the text's position.
 */
export function answerFromLogits(logits: Float32Array, row: number, classes: number): Answer {
  const start = row * classes;
  let best = 0;
  for (let index = 0; index < classes; index++) {
    const value = logits[start + index]!;
    if (!Number.isFinite(value)) {
      throw new LimbeckError('model.logits-not-finite', `the model answered ${value} for class ${index}`, {
        where: `row ${row} of the batch`,
        remedy:
          'The model file is damaged or its training diverged: make it again, with a lower learning rate.',
      });
    }
    if (value > logits[start + best]!) best = index;
  }
  let sum = 0;
  for (let index = 0; index < classes; index++)
    sum += Math.exp(logits[start + index]! - logits[start + best]!);
  return { label: best, confidence: 1 / sum };
}
