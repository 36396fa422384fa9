import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';

export const LOGITS = 'logits';

/**
 * Makes sure that logits are of a language model, [texts, tokens, vocabulary]. A classifier's, [texts, classes], read as such are
 * numbers of other texts, or none.
 *
 * @throws LimbeckError `generate.model`
 */
export function requireTokenLogits({ dims, data }: Tensor, texts: number, title = 'the model'): void {
  if (dims.length === 3 && dims[0] === texts && data.length > 0) return;
  const problem = 'it does not answer with a logit of each word of its vocabulary after each token';
  throw noLanguageModel(title, problem, `${LOGITS}: [${dims.join(', ')}] of ${texts} texts`);
}

export function noLanguageModel(title: string, problem: string, where: string): LimbeckError {
  return new LimbeckError(
    'generate.model',
    `${title} is no language model that could be sampled: ${problem}`,
    {
      where,
      remedy:
        'Take a student of the task text-generation, or an ONNX export of a decoder (`optimum-cli export onnx`, with the task text-generation-with-past).',
    },
  );
}
