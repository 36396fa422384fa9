import { canonicalJson } from '../../data/canonical-json.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { PaidAnswers, type Spent, spentOnAll } from '../../knowledge/paid-answers.ts';
import type { AnswerDims } from '../../knowledge/true-length.ts';
import { createSha256 } from '../../platform/hash.ts';
import type { HostedRecipe } from '../../recipe/schema.ts';
import type { Head } from '../../targets/head.ts';
import { type Abilities, modeOf, type ProbeContext } from '../../teachers/chat/abilities.ts';
import { endpointAddress, hostedTitle, plainAddress } from '../../teachers/chat/address.ts';
import type { AnsweringModel } from '../../teachers/chat/ask-samples.ts';
import { ChatEndpoint } from '../../teachers/chat/endpoint.ts';
import { EMBEDDING, questionFor } from '../../teachers/chat/questions/index.ts';
import type { AnswerMode, Question } from '../../teachers/chat/questions/question.ts';
import { Spending } from '../../teachers/chat/spending.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';

/** Raised when what is asked, or how it is kept, becomes another thing. */
const FORMAT = 1;

/** One output of a hosted teacher: how it is asked about it, and where its answers are. */
export interface HostedPart {
  readonly head: Head;
  /** Undefined for vectors, which are not asked for in words. */
  readonly question: Question | undefined;
  readonly mode: AnswerMode | 'vectors';
  readonly dims: AnswerDims;
  /** Of what is sent: where the paid replies are. */
  readonly paidId: string;
  /** Of what is sent and how it is read: the teacher's hash in the store. */
  readonly hash: string;
}

/** A hosted teacher that is ready to be asked. */
export interface HostedTeacher {
  readonly choice: HostedRecipe['teacher'];
  readonly title: string;
  readonly parts: readonly HostedPart[];
  /** As the endpoint named its model first. */
  readonly model: AnsweringModel;
  readonly spending: Spending;
  /** Opened when something is to be paid. */
  endpoint(): Promise<ChatEndpoint>;
  paid(part: HostedPart): PaidAnswers;
  /** What all runs spent on it so far. */
  spent(): Spent;
  close(): Promise<void>;
}

/** What finding out about an endpoint depends on: kept beside the paid answers. */
export function probeId(context: ProbeContext): string {
  const { choice, head } = context;
  const { answers, structured } = choice;
  return idOf({ ...sentTo(choice), probe: head.output, target: head.target.kind, answers, structured });
}

/** How a head is asked about, once it is known what the endpoint can. */
export function hostedPart(
  choice: HostedRecipe['teacher'],
  head: Head,
  abilities: Pick<Abilities, 'logprobs' | 'structured'>,
  tokenizer: Tokenizer | undefined,
): HostedPart {
  if (head.target.kind === EMBEDDING) {
    const { width } = head.space as { readonly width: number };
    const paidId = idOf({ ...sentTo(choice), vectors: width });
    return { head, question: undefined, mode: 'vectors', dims: [width], paidId, hash: idOf({ paidId }) };
  }
  const mode = modeOf(head, choice, abilities);
  const question = questionFor({ head, choice, mode, structured: abilities.structured, tokenizer });
  const paidId = idOf({ ...sentTo(choice), asked: question.asked });
  const { readAs, wanted, dims } = question;
  return { head, question, mode, dims, paidId, hash: idOf({ paidId, mode, wanted, readAs }) };
}

function sentTo({ baseURL, model, parameters }: HostedRecipe['teacher']) {
  return { format: FORMAT, address: plainAddress(endpointAddress(baseURL)), model, parameters };
}

function idOf(parts: object): string {
  return createSha256().update(canonicalJson(parts)).digest('hex').slice(0, 32);
}

/** What a head's probe needs to know. */
export function probeContext(
  choice: HostedRecipe['teacher'],
  head: Head,
  tokenizer: Tokenizer | undefined,
): ProbeContext {
  const width = head.target.kind === EMBEDDING ? (head.space as { readonly width: number }).width : undefined;
  return { choice, head, tokenizer, width };
}

/** Opens a hosted teacher; nothing is sent. */
export function openHostedTeacher(
  run: Pick<RunContext, 'store' | 'emit'>,
  { task, heads }: Pick<TaskData, 'task' | 'heads'>,
  choice: HostedRecipe['teacher'],
  abilities: ReadonlyMap<string, Abilities>,
): HostedTeacher {
  const parts = heads.map((head) =>
    hostedPart(choice, head, abilities.get(head.output) as Abilities, task.tokenizer),
  );
  const title = hostedTitle(choice);
  const open = new Map<string, PaidAnswers>();
  const paid = (id: string) => {
    const known = open.get(id);
    if (known) return known;
    const one = PaidAnswers.open(run.store.folder, id, {
      title,
      baseURL: choice.baseURL,
      model: choice.model,
    });
    open.set(id, one);
    return one;
  };
  const probes = heads.map((head) => paid(probeId(probeContext(choice, head, task.tokenizer))));
  const ledgers = [...new Set([...probes, ...parts.map(({ paidId }) => paid(paidId))])];
  const spent = () => spentOnAll(ledgers.map((one) => one.spent));
  let endpoint: Promise<ChatEndpoint> | undefined;
  const [first] = abilities.values();
  return {
    choice,
    title,
    parts,
    model: { name: first?.model },
    spending: new Spending(choice, spent()),
    endpoint() {
      endpoint ??= ChatEndpoint.open(choice, (message) => run.emit({ type: 'log', level: 'info', message }));
      return endpoint;
    },
    paid: ({ paidId }) => paid(paidId),
    spent,
    async close() {
      for (const one of open.values()) await one.close();
      open.clear();
    },
  };
}
