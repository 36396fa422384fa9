import { LimbeckError } from '../../errors.ts';
import { fromBase64, hexOf } from '../../platform/bytes.ts';
import type { AskedSample, AskOptions, AskResult } from './ask-samples.ts';
import { inPaidQueue } from './paid-queue.ts';
import { roughTokens } from './read-reply.ts';
import type { Reply, TokenUsage } from './reply.ts';

export type EmbedOptions = Omit<AskOptions, 'question'> & { readonly width: number };

/**
 * Asks the endpoint for embeddings about samples, many texts in each request. The reply's tokens are counted with the first of
 * its texts.
 *
 * @throws as `askSamples`
 */
export async function embedSamples(options: EmbedOptions): Promise<AskResult> {
  const result = { answered: 0, requests: 0 };
  const send = async (group: readonly AskedSample[]) => {
    const missing: AskedSample[] = [];
    for (const sample of group) {
      const [known] = options.paid.replies(sample.key);
      if (known?.vectors?.[0] === undefined) missing.push(sample);
      else await tell(options, sample, known.vectors[0]);
    }
    result.answered += group.length - missing.length;
    if (missing.length === 0) return;
    const vectors = await pay(options, missing);
    result.requests++;
    for (const [i, sample] of missing.entries()) await tell(options, sample, vectors[i] as string);
    result.answered += missing.length;
  };
  await inPaidQueue(options.choice, groupsOf(options, send), options.signal);
  return { ...result, unanswered: {} };
}

function* groupsOf(
  { samples, choice }: EmbedOptions,
  send: (group: readonly AskedSample[]) => Promise<void>,
): Generator<() => Promise<void>> {
  let group: AskedSample[] = [];
  for (const sample of samples) {
    group.push(sample);
    if (group.length < choice.batch) continue;
    const full = group;
    group = [];
    yield () => send(full);
  }
  if (group.length > 0) yield () => send(group);
}

async function pay(options: EmbedOptions, group: readonly AskedSample[]): Promise<readonly string[]> {
  const { paid, spending, endpoint, id, width, model, choice, signal } = options;
  const texts = group.map(({ text }) => text);
  const aside: TokenUsage = { input: roughTokens(texts.join('')), output: 0 };
  if (!spending.reserve(aside)) throw spending.exhausted();
  let usage: TokenUsage | undefined;
  try {
    const first = group[0] as AskedSample;
    const reply = await (await endpoint()).embed(
      texts,
      width,
      `${id}-${hexOf(first.key)}-${group.length}`,
      signal,
    );
    usage = reply.usage;
    const vectors = reply.vectors as readonly string[];
    paid.add(
      group.map(({ key }, i): { key: Uint8Array; reply: Reply } => ({
        key,
        reply: {
          ...reply,
          vectors: [vectors[i] as string],
          usage: i === 0 ? reply.usage : { input: 0, output: 0 },
          seconds: i === 0 ? reply.seconds : 0,
        },
      })),
    );
    // One that is not named is no other one.
    model.name ||= reply.model;
    if (reply.model !== '' && reply.model !== model.name) {
      const problem = `the vectors come from '${reply.model}' now, before they came from '${model.name}'`;
      throw new LimbeckError('teacher.model-changed', problem, {
        where: `${choice.baseURL}, model ${choice.model}`,
        remedy:
          'Vectors of two models do not go together. Name a model with a date, which stays what it is, as teacher.model.',
      });
    }
    return vectors;
  } finally {
    spending.settle(aside, usage);
  }
}

async function tell({ onAnswer }: EmbedOptions, sample: AskedSample, vector: string): Promise<void> {
  // A copy of its own: the bytes may lie in the midst of others.
  const values = new Float32Array(new Uint8Array(fromBase64(vector)).buffer);
  await onAnswer(sample, { values });
}
