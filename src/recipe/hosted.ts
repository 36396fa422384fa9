import { type ObjectiveOptions, weighedKinds, weighedOptions } from '../objectives/index.ts';
import type { ObjectiveKind } from '../objectives/objective.ts';
import { endpointAddress } from '../teachers/chat/address.ts';
import { CHAT_TARGETS, EMBEDDING } from '../teachers/chat/questions/index.ts';
import { HOSTED_TEACHERS, type HostedTeacherChoice } from '../teachers/index.ts';
import { outputsOf, type StatedParts } from './parts.ts';

interface Stated extends StatedParts {
  readonly teacher?: { readonly kind: string } | undefined;
  readonly objective: ObjectiveOptions;
  readonly continual?: unknown;
  readonly knowledge: { readonly graph: unknown };
  readonly data: StatedParts['data'] & { readonly mixup?: unknown; readonly adversarial?: unknown };
}

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

/**
 * Whether a loss looks into a teacher, or asks its graph for gradients. One that is left out where it has nothing to look at
 * (the default on features) is left out here.
 */
function looksInside(objective: ObjectiveOptions, kind: ObjectiveKind): boolean {
  if (kind.kind === 'rkd') return weighedOptions(objective, 'rkd').some(({ on }) => on !== 'logits');
  if (kind.kind === 'boundary')
    return weighedOptions(objective, 'boundary').some(({ target }) => target !== 'kept');
  if (kind.applies) return false;
  return kind.knowledge !== undefined || (kind.level !== undefined && kind.level !== 'task');
}

/** What a recipe asks for that a teacher somewhere else cannot give: it answers, and nothing more is to be had of it. */
export function hostedProblems(recipe: Stated): Problem[] {
  const { teacher } = recipe;
  if (!teacher || !HOSTED_TEACHERS.some(({ kind }) => kind === teacher.kind)) return [];
  const choice = teacher as HostedTeacherChoice;
  const { objective, knowledge, data, continual } = recipe;
  const problems: Problem[] = [];
  const add = (path: (string | number)[], message: string) => problems.push({ path, message });
  try {
    endpointAddress(choice.baseURL);
  } catch (error) {
    add(['teacher', 'baseURL'], (error as Error).message);
  }
  if (choice.budget?.money !== undefined && choice.prices === undefined)
    add(['teacher', 'budget', 'money'], 'what tokens cost is not known: give teacher.prices');
  for (const kind of weighedKinds(objective)) {
    if (looksInside(objective, kind))
      add(
        ['objective', kind.kind],
        `${kind.kind} looks into the teacher, and a hosted one shows its answers only`,
      );
  }
  if (knowledge.graph === true)
    add(
      ['knowledge', 'graph'],
      'the knowledge graph looks into the teacher, and a hosted one shows its answers only',
    );
  if (data.mixup !== undefined)
    add(['data', 'mixup'], 'mixtures of texts are no texts that a hosted teacher could read');
  if (data.adversarial !== undefined)
    add(
      ['data', 'adversarial'],
      'attacks need the gradients of the teacher, and a hosted one shows its answers only',
    );
  if (continual !== undefined) add(['continual'], 'a sequence of tasks is not taught by a hosted teacher');
  for (const { name, target, options } of outputsOf(recipe)) {
    const path = recipe.outputs ? ['outputs', name, 'target'] : ['task'];
    if (!CHAT_TARGETS.includes(target))
      add(path, `a hosted teacher is not asked about ${target}; it is about ${CHAT_TARGETS.join(', ')}`);
    if (target === EMBEDDING && options.width === undefined)
      add(
        ['outputs', name],
        'how wide the vectors of the hosted teacher are is not known before they are paid: give a width',
      );
  }
  return problems;
}
