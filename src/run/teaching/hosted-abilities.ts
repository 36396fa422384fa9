import { z } from 'zod';
import { SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import { PaidAnswers } from '../../knowledge/paid-answers.ts';
import { existsSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import type { HostedRecipe } from '../../recipe/schema.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import {
  type Abilities,
  type ProbeContext,
  probeAbilities,
  probeCost,
} from '../../teachers/chat/abilities.ts';
import { hostedTitle } from '../../teachers/chat/address.ts';
import { ChatEndpoint } from '../../teachers/chat/endpoint.ts';
import { moneyText, priceOf, Spending } from '../../teachers/chat/spending.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { probeContext, probeId } from './hosted-teacher.ts';

const abilitiesFile = z.object({
  model: z.string(),
  logprobs: z.boolean(),
  structured: z.boolean(),
  notes: z.array(z.string()),
});

/** What earlier runs found out about an endpoint; undefined where none did. */
export function knownAbilities(storeFolder: string, context: ProbeContext): Abilities | undefined {
  const file = fileOf(storeFolder, context);
  if (!existsSync(file)) return undefined;
  try {
    return abilitiesFile.parse(JSON.parse(readRegularText(file)));
  } catch {
    // Damaged, or of another version: asked again.
    return undefined;
  }
}

/** Replies to what tests an endpoint lie under this key. */
const PROBE_KEY = new Uint8Array(SAMPLE_KEY_BYTES);

/**
 * What an endpoint can do for each output: as an earlier run found it, or found out now, which costs a request or two about a
 * text of ours. First what is free: whether it lets us in, and knows the model.
 *
 * @throws LimbeckError those of the endpoint, `teacher.logprobs`, `teacher.budget`
 */
export async function findAbilities(
  run: Pick<RunContext, 'store' | 'emit' | 'warn' | 'checkInterrupted'>,
  { task, heads }: Pick<TaskData, 'task' | 'heads'>,
  choice: HostedRecipe['teacher'],
  { again = false }: { readonly again?: boolean } = {},
): Promise<Map<string, Abilities>> {
  const found = new Map<string, Abilities>();
  let endpoint: ChatEndpoint | undefined;
  for (const head of heads) {
    const context = probeContext(choice, head, task.tokenizer);
    const known = again ? undefined : knownAbilities(run.store.folder, context);
    if (known) {
      found.set(head.output, known);
      continue;
    }
    run.checkInterrupted();
    endpoint ??= await reachEndpoint(run, choice);
    found.set(head.output, await probe(run, endpoint, context));
  }
  return found;
}

/** Looks whether an endpoint is there, lets us in and knows the model. Free. */
export async function reachEndpoint(
  { emit, warn }: Pick<RunContext, 'emit' | 'warn'>,
  choice: HostedRecipe['teacher'],
): Promise<ChatEndpoint> {
  const endpoint = await ChatEndpoint.open(choice, (message) =>
    emit({ type: 'log', level: 'info', message }),
  );
  const models = await endpoint.models();
  if (models && !models.includes(choice.model)) {
    const some = models.slice(0, 10).join(', ');
    warn(
      `the endpoint does not list the model '${choice.model}'; it lists ${some}${models.length > 10 ? ', ...' : ''}`,
    );
  }
  return endpoint;
}

async function probe(
  { store, emit, warn }: Pick<RunContext, 'store' | 'emit' | 'warn'>,
  endpoint: ChatEndpoint,
  context: ProbeContext,
): Promise<Abilities> {
  const { choice, head } = context;
  const id = probeId(context);
  const title = hostedTitle(choice);
  const paid = PaidAnswers.open(store.folder, id, { title, baseURL: choice.baseURL, model: choice.model });
  try {
    const { usage } = probeCost(context);
    const spending = new Spending(choice, paid.spent);
    if (!spending.reserve(usage)) throw spending.exhausted();
    emit({
      type: 'log',
      level: 'info',
      message: `${title} is asked about a text of ours, to find out what it can do: ${probePrice(context)}`,
    });
    const abilities = await probeAbilities(endpoint, context, id, (reply) =>
      paid.add([{ key: PROBE_KEY, reply }]),
    );
    for (const note of abilities.notes) warn(`${title}: ${note}`);
    if (head.target.kind === 'class')
      emit({
        type: 'log',
        level: 'info',
        message: `${title} ${abilities.logprobs ? 'gives log-probabilities: they become soft labels' : 'gives no log-probabilities'}`,
      });
    replaceFile(fileOf(store.folder, context), `${JSON.stringify(abilities, null, 2)}\n`, 'store');
    return abilities;
  } finally {
    await paid.close();
  }
}

/** `about 240 tokens, 0.0001 USD`. */
export function probePrice(context: ProbeContext): string {
  const { input, output } = probeCost(context).usage;
  const money = priceOf(context.choice, { inputTokens: input, outputTokens: output });
  return `about ${input + output} tokens${money === undefined ? '' : `, ${moneyText(money, context.choice)}`}`;
}

function fileOf(storeFolder: string, context: ProbeContext): string {
  return join(storeFolder, 'paid', probeId(context), 'abilities.json');
}
