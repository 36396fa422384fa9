import type { z } from 'zod';
import { labels } from './cross-entropy.ts';
import { kd } from './kd-logits.ts';
import type { ObjectiveContext, ObjectiveKind, ObjectiveTerm } from './objective.ts';

/** The losses that a recipe can weigh, under `objective`. To add one: a file beside these, and a line here. */
export const OBJECTIVES = [kd, labels] as const;

type Objective = (typeof OBJECTIVES)[number];

/** What stands under `objective` in a recipe, with every default filled in. */
export type ObjectiveOptions = { [O in Objective as O['name']]: z.output<O['options']> };

/** The terms of a recipe's loss; those of weight 0 are left out. */
export function objectiveTerms(options: ObjectiveOptions, context: ObjectiveContext): ObjectiveTerm[] {
  const kinds: readonly ObjectiveKind[] = OBJECTIVES as readonly unknown[] as readonly ObjectiveKind[];
  return kinds
    .map((kind) => kind.term(options[kind.name as keyof ObjectiveOptions], context))
    .filter(({ weight }) => weight > 0);
}
