import type { Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { requireTokenLogits } from './token-logits.ts';
import { withoutPast } from './without-past.ts';

/** A text in two parts, as token ids: how likely is the second after the first? */
export interface ScoredText {
  /** At least one token. */
  readonly prompt: readonly number[];
  readonly continuation: readonly number[];
}

/**
 * The log-probability that a language model gives each continuation after its prompt, in nats: the sum over its tokens. All texts are
 * read in one run of the model.
 *
 * @throws LimbeckError `generate.prompt` for a text without a prompt, `generate.too-long` for one of more than `maxLength` tokens,
 *   `generate.model` for a model that is no language model
 */
export async function scoreTexts(
  session: Session,
  texts: readonly ScoredText[],
  maxLength = Number.POSITIVE_INFINITY,
): Promise<number[]> {
  const whole = texts.map(({ prompt, continuation }) => [...prompt, ...continuation]);
  const length = Math.max(0, ...whole.map((ids) => ids.length));
  if (length === 0) return [];
  if (texts.some(({ prompt }) => prompt.length === 0))
    throw new LimbeckError('generate.prompt', 'a text has no token before what is asked about', {
      remedy: 'Begin it with a word, or with the token that begins texts.',
    });
  if (length > maxLength)
    throw new LimbeckError(
      'generate.too-long',
      `a text has ${length} tokens, the model positions for ${maxLength}`,
      {
        remedy: 'Shorten it, or take a model that reads more.',
      },
    );
  const { logits } = await withoutPast(session).run(feedsOf(session, whole, length), { logits: null });
  requireTokenLogits(logits as Tensor, whole.length);
  return texts.map(({ prompt, continuation }, row) =>
    continuation.reduce(
      (sum, id, i) => sum + logProbability(logits as Tensor, row * length + prompt.length - 1 + i, id),
      0,
    ),
  );
}

/** Texts padded at their ends, which no token before sees. */
function feedsOf(
  { inputNames }: Session,
  texts: readonly (readonly number[])[],
  length: number,
): Record<string, Tensor> {
  const dims = [texts.length, length];
  const columns = { input_ids: 0, attention_mask: 1, position_ids: 2 };
  const made = Object.entries(columns).map(([name, kind]) => {
    const data = new BigInt64Array(texts.length * length);
    for (const [row, ids] of texts.entries())
      for (const [i, id] of ids.entries()) data[row * length + i] = BigInt([id, 1, i][kind] as number);
    return [name, tensor('int64', dims, data)] as const;
  });
  return Object.fromEntries(made.filter(([name]) => inputNames.includes(name)));
}

function logProbability({ data, dims }: Tensor, place: number, id: number): number {
  const width = dims[2] as number;
  const logits = (data as Float32Array).subarray(place * width, (place + 1) * width);
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of logits) if (!(value <= highest)) highest = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - highest);
  return (logits[id] as number) - highest - Math.log(sum);
}
