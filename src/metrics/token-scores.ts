import { LimbeckError } from '../errors.ts';
import { tensor } from '../onnx/tensor.ts';
import type { Answers, MeasuredBatch } from './metric.ts';
import { columnOf, rowOf } from './output-rows.ts';

/** Numbers that are kept of each token: minus the log of its probability in nats, and 1 where it is the likeliest. */
export const SCORES = 2;

/**
 * What is kept of logits over a vocabulary, [rows, tokens, vocabulary], against the tokens that come, int32 [rows, tokens]
 * (negative where none is asked for): float32 [rows, tokens, 2]. Metrics look at a batch several times, and a batch of logits is
 * hundreds of megabytes.
 *
 * @throws LimbeckError `engine.not-finite` for logits that are no numbers, with the place
 */
export function tokenScores(
  answers: Answers,
  { filled, columns, ordinals }: MeasuredBatch,
  labels: string,
): Answers {
  const [rows, tokens, vocabulary] = answers.dims as [number, number, number];
  const truths = columnOf(columns, labels);
  const scores = new Float32Array(rows * tokens * SCORES);
  for (let row = 0; row < filled; row++) {
    const logits = rowOf(answers, row) as Float32Array;
    const truth = rowOf(truths, row) as Int32Array;
    for (let token = 0; token < tokens; token++) {
      const label = truth[token] as number;
      if (label < 0) continue;
      const at = (row * tokens + token) * SCORES;
      const { loss, isLikeliest } = scoreOf(logits, token * vocabulary, vocabulary, label);
      if (!Number.isFinite(loss)) {
        throw new LimbeckError('engine.not-finite', 'a model answered NaN or infinite numbers', {
          where: `sample ${ordinals[row]} of its split, token ${token + 1}`,
          remedy:
            'The model is damaged, or its training diverged: train it again with a lower learning rate.',
        });
      }
      scores[at] = loss;
      scores[at + 1] = isLikeliest ? 1 : 0;
    }
  }
  return tensor('float32', [rows, tokens, SCORES], scores);
}

/** The cross-entropy of a label among the `width` logits from `from` on. */
function scoreOf(
  logits: Float32Array,
  from: number,
  width: number,
  label: number,
): { readonly loss: number; readonly isLikeliest: boolean } {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + width; i++)
    if (!((logits[i] as number) <= highest)) highest = logits[i] as number;
  let sum = 0;
  for (let i = from; i < from + width; i++) sum += Math.exp((logits[i] as number) - highest);
  const own = logits[from + label] as number;
  return { loss: Math.log(sum) + highest - own, isLikeliest: own === highest };
}
