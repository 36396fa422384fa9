import type { z } from 'zod';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import { attention } from './attention.ts';
import { attentionTransfer } from './attention-transfer.ts';
import { attributionObjective } from './attribution.ts';
import { boundary } from './boundary.ts';
import { cka } from './cka.ts';
import { labels } from './cross-entropy.ts';
import { distObjective } from './dist.ts';
import { dkd } from './dkd.ts';
import { featureMseObjective } from './feature-mse.ts';
import { featurePyramid } from './feature-pyramid.ts';
import { features } from './features.ts';
import { hidden } from './hidden.ts';
import { kd } from './kd-logits.ts';
import { mlkd } from './mlkd.ts';
import type { ObjectiveContext, ObjectiveKind, ObjectiveTerm } from './objective.ts';
import { rkd } from './rkd.ts';
import { similarity } from './similarity.ts';
import { valueRelations } from './value-relations.ts';

/** The losses that a recipe can weigh, under `objective`. To add one: a file beside these, and a line here. */
export const OBJECTIVES = [
  kd,
  labels,
  attention,
  valueRelations,
  hidden,
  featureMseObjective,
  similarity,
  cka,
  features,
  attentionTransfer,
  featurePyramid,
  dkd,
  distObjective,
  mlkd,
  rkd,
  attributionObjective,
  boundary,
] as const;

type Objective = (typeof OBJECTIVES)[number];

/** What stands under `objective` in a recipe, with every default filled in. */
export type ObjectiveOptions = { [O in Objective as O['name']]: z.output<O['options']> };

const KINDS: readonly ObjectiveKind[] = OBJECTIVES as readonly unknown[] as readonly ObjectiveKind[];

/** The terms of a recipe's loss; those of weight 0 are left out. */
export function objectiveTerms(options: ObjectiveOptions, context: ObjectiveContext): ObjectiveTerm[] {
  return applying(options, context).map(({ kind, own }) => kind.term(own, context));
}

/** What the terms of a recipe's loss need of the teacher besides its classes, each once. */
export function knowledgeRequests(options: ObjectiveOptions, context: ObjectiveContext): KnowledgeRequest[] {
  const requests = applying(options, context).flatMap(
    ({ kind, own }) => kind.knowledge?.(own, context) ?? [],
  );
  return [...new Map(requests.map((request) => [request.tap, request])).values()];
}

/** The losses that a recipe weighs. */
export function weighedKinds(options: ObjectiveOptions): ObjectiveKind[] {
  return weighed(options).map(({ kind }) => kind);
}

function applying(options: ObjectiveOptions, context: ObjectiveContext) {
  return weighed(options).filter(({ kind }) => kind.applies?.(context) ?? true);
}

function weighed(options: ObjectiveOptions) {
  return KINDS.map((kind) => ({ kind, own: options[kind.name as keyof ObjectiveOptions] })).filter(
    ({ own }) => own.weight > 0,
  );
}
