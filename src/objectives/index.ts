import type { z } from 'zod';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import { labels } from './cross-entropy.ts';
import { kd } from './kd-logits.ts';
import type { ObjectiveContext, ObjectiveKind, ObjectiveTerm } from './objective.ts';

/** The losses that a recipe can weigh, under `objective`. To add one: a file beside these, and a line here. */
export const OBJECTIVES = [kd, labels] as const;

type Objective = (typeof OBJECTIVES)[number];

/** What stands under `objective` in a recipe, with every default filled in. */
export type ObjectiveOptions = { [O in Objective as O['name']]: z.output<O['options']> };

const KINDS: readonly ObjectiveKind[] = OBJECTIVES as readonly unknown[] as readonly ObjectiveKind[];

/** The terms of a recipe's loss; those of weight 0 are left out. */
export function objectiveTerms(options: ObjectiveOptions, context: ObjectiveContext): ObjectiveTerm[] {
  return weighed(options).map(({ kind, own }) => kind.term(own, context));
}

/** What the terms of a recipe's loss need of the teacher besides its classes, each once. */
export function knowledgeRequests(options: ObjectiveOptions, context: ObjectiveContext): KnowledgeRequest[] {
  const requests = weighed(options).flatMap(({ kind, own }) => kind.knowledge?.(own, context) ?? []);
  return [...new Map(requests.map((request) => [request.tap, request])).values()];
}

function weighed(options: ObjectiveOptions) {
  return KINDS.map((kind) => ({ kind, own: options[kind.name as keyof ObjectiveOptions] })).filter(
    ({ own }) => own.weight > 0,
  );
}
