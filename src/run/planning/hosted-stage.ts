import type { Split } from '../../data/split.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { estimateBytes } from '../../knowledge/estimate.ts';
import { PaidAnswers, type Spent, spentOnAll } from '../../knowledge/paid-answers.ts';
import { dimsAt } from '../../knowledge/true-length.ts';
import type { HostedRecipe } from '../../recipe/schema.ts';
import { type Abilities, probeCost } from '../../teachers/chat/abilities.ts';
import { endpointAddress } from '../../teachers/chat/address.ts';
import { roughTokens } from '../../teachers/chat/read-reply.ts';
import { moneyText, priceOf } from '../../teachers/chat/spending.ts';
import type { Artifacts } from '../context/artifact.ts';
import { encodingOf } from '../heads/answer-dims.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { preprocessingOf } from '../teaching/ask-hosted.ts';
import { knownAbilities } from '../teaching/hosted-abilities.ts';
import { type HostedPart, hostedPart, probeContext, probeId } from '../teaching/hosted-teacher.ts';
import { HOSTED_COST } from './costs.ts';
import type { PlanningContext } from './planning-context.ts';
import type { StagePlan } from './stage-plan.ts';
import { storedAnswers } from './stored-answers.ts';

/** Texts whose length is looked at. */
const SAMPLED_TEXTS = 1000;
/** Where nobody has waited for the endpoint yet. */
const ASSUMED_SECONDS = 1;

interface Tokens {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a hosted teacher is going to take: counted from the texts, nothing is sent. Its rows are those of all stages that ask. */
export async function planHosted(
  context: PlanningContext,
  recipe: HostedRecipe,
  costs: Artifacts,
): Promise<StagePlan> {
  const { data, store, memory } = context;
  const { teacher: choice } = recipe;
  const { asked, dataset, task, heads, taughtTruth } = data;
  const { validation, test } = dataset.splits;
  const notes: string[] = [];
  const parts: HostedPart[] = [];
  const ledgers: Spent[] = [];
  const probes: Tokens[] = [];
  for (const head of heads) {
    const probing = probeContext(choice, head, task.tokenizer);
    const known = knownAbilities(store.folder, probing);
    const assumed: Abilities = known ?? { model: '', logprobs: true, structured: true, notes: [] };
    const part = hostedPart(choice, head, assumed, task.tokenizer);
    parts.push(part);
    if (!known) {
      const { requests, usage } = probeCost(probing);
      probes.push({ requests, inputTokens: usage.input, outputTokens: usage.output });
      if (head.target.kind === 'class' && choice.answers === 'auto')
        notes.push(
          `the endpoint is taken to give log-probabilities; without them each text is asked ${choice.votes} times, which costs up to ${choice.votes} times as much`,
        );
    }
    for (const id of new Set([probeId(probing), part.paidId])) ledgers.push(await lookedAt(store.folder, id));
  }
  const spent = spentOnAll(ledgers);
  const counts = async (split: Split, part: HostedPart) => {
    const { head, hash, dims } = part;
    const query = {
      teacher: hash,
      tap: head.output,
      dims,
      preprocessing: preprocessingOf(task, dims),
      encoding: encodingOf(heads),
    };
    return storedAnswers(store, split, query, context.checkInterrupted);
  };
  let present = 0;
  let missingInAll = 0;
  let labelBytes = 0;
  const samples = { check: 0, train: 0, validation: 0, test: 0 };
  const tokens: Tokens[] = [...probes];
  for (const [index, part] of parts.entries()) {
    const train = await counts(asked, part);
    const held = taughtTruth ? await counts(validation, part) : undefined;
    const tested = taughtTruth || choice.compare ? await counts(test, part) : undefined;
    const checked =
      isOneClass(heads) && choice.check > 0
        ? Math.max(0, Math.min(choice.check, validation.size) - (await counts(validation, part)).present)
        : 0;
    const own = {
      check: checked,
      train: train.missing,
      validation: held?.missing ?? 0,
      test: tested?.missing ?? 0,
    };
    const toAsk = own.check + own.train + own.validation + own.test;
    tokens.push(estimated(asked as TextSplit, part, toAsk, choice));
    labelBytes += estimateBytes(train.missing, dimsAt(part.dims, recipe.data.maxLength), encodingOf(heads));
    if (index > 0) continue;
    Object.assign(samples, own);
    present = train.present + (tested?.present ?? 0);
    missingInAll = train.missing + (tested?.missing ?? 0);
  }
  const { requests, inputTokens, outputTokens } = sumOf(tokens);
  const seconds = spent.requests > 0 ? spent.seconds / spent.requests : ASSUMED_SECONDS;
  if (spent.requests === 0)
    notes.push(`nobody has asked it yet: an answer is taken to need ${ASSUMED_SECONDS} s`);
  notes.push('tokens are counted as one for four bytes of text');
  const perSecond = Math.min(choice.concurrency / seconds, (choice.requestsPerMinute ?? Infinity) / 60);
  const share = (part: number) =>
    requests === 0
      ? 0
      : (part / Math.max(1, samples.check + samples.train + samples.validation + samples.test)) *
        (requests / perSecond);
  const money = priceOf(choice, { inputTokens, outputTokens });
  const { host } = endpointAddress(choice.baseURL);
  const cost = `${requests} requests, about ${inputTokens + outputTokens} tokens${money === undefined ? '' : `, ${moneyText(money, choice)}`}`;
  const spentMoney = priceOf(choice, spent);
  costs.set(HOSTED_COST, {
    price: {
      host,
      model: choice.model,
      samples,
      requests,
      inputTokens,
      outputTokens,
      money,
      currency: choice.prices?.currency ?? '',
      spentTokens: spent.inputTokens + spent.outputTokens,
      spentMoney,
      budget: choice.budget,
      notes,
    },
    store: { present, missing: missingInAll, bytes: 0 },
    label: {
      stage: 'label',
      seconds: share(samples.train + samples.validation),
      secondsAtMost: share(samples.train + samples.validation),
      memoryBytes: memory.take() + data.heldBytes,
      diskBytes: labelBytes,
      note: `${samples.train + samples.validation} ${task.unit} to send to ${host}; in all ${cost}`,
    },
    test: { seconds: share(samples.test), missing: samples.test },
  });
  const checkSeconds = share(samples.check);
  return {
    stage: 'teacher',
    seconds: checkSeconds,
    secondsAtMost: checkSeconds,
    memoryBytes: memory.take(),
    diskBytes: 0,
    note: samples.check > 0 ? `${samples.check} labelled ${task.unit} to send, to check it` : '',
  };
}

async function lookedAt(storeFolder: string, id: string): Promise<Spent> {
  const paid = PaidAnswers.look(storeFolder, id);
  const spent = paid?.spent ?? spentOnAll([]);
  await paid?.close();
  return spent;
}

/** What asking about so many texts of a split takes, by the length of some of them. */
function estimated(
  split: TextSplit,
  { question, mode }: HostedPart,
  count: number,
  { batch }: HostedRecipe['teacher'],
): Tokens {
  if (count === 0 || split.size === 0) return { requests: 0, inputTokens: 0, outputTokens: 0 };
  const looked = Math.min(SAMPLED_TEXTS, split.size);
  let input = 0;
  for (let i = 0; i < looked; i++) {
    const text = split.text(Math.floor((i * split.size) / looked));
    const sent = question?.ask(text).messages.map(({ content }) => content) ?? [text];
    input += sent.reduce((sum, content) => sum + roughTokens(content), 0);
  }
  const each = input / looked;
  if (!question)
    return { requests: Math.ceil(count / batch), inputTokens: Math.ceil(count * each), outputTokens: 0 };
  const { wanted, answerTokens } = question;
  // An endpoint that gives several answers to one request takes the prompt once; that is not known before.
  const requests = count * (mode === 'votes' ? wanted : 1);
  return { requests, inputTokens: Math.ceil(requests * each), outputTokens: requests * answerTokens };
}

function sumOf(parts: readonly Tokens[]): Tokens {
  return parts.reduce(
    (sum, part) => ({
      requests: sum.requests + part.requests,
      inputTokens: sum.inputTokens + part.inputTokens,
      outputTokens: sum.outputTokens + part.outputTokens,
    }),
    { requests: 0, inputTokens: 0, outputTokens: 0 },
  );
}
