import type { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { register, registry, requireFree } from '../registry.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import { affinityKd } from './affinity.ts';
import { alignedLikelihoods } from './aligned-likelihoods.ts';
import { attention } from './attention.ts';
import { attentionTransfer } from './attention-transfer.ts';
import { attributionObjective } from './attribution.ts';
import { bce, bceKd } from './binary-cross-entropy.ts';
import { boundary } from './boundary.ts';
import { centreFocal } from './centre-focal.ts';
import { centreFocalKd } from './centre-focal-kd.ts';
import { centreSizes } from './centre-sizes.ts';
import { centreSizesKd } from './centre-sizes-kd.ts';
import { cka } from './cka.ts';
import { cosine, cosineKd } from './cosine.ts';
import { labels } from './cross-entropy.ts';
import { distObjective } from './dist.ts';
import { dkd } from './dkd.ts';
import { featureMseObjective } from './feature-mse.ts';
import { featurePyramid } from './feature-pyramid.ts';
import { features } from './features.ts';
import { hidden } from './hidden.ts';
import { huberKd, huberLabels } from './huber.ts';
import { infoNce } from './info-nce.ts';
import { kd } from './kd-logits.ts';
import { marginContrastive } from './margin-contrastive.ts';
import { mse, mseKd } from './mean-squared-error.ts';
import { mlkd } from './mlkd.ts';
import { nextTokenKd } from './next-token-kd.ts';
import type { ObjectiveContext, ObjectiveKind, ObjectiveTerm } from './objective.ts';
import { ownLoss } from './own-loss.ts';
import { rkd } from './rkd.ts';
import { similarity } from './similarity.ts';
import { tokenKd, tokenLabels } from './token-classes.ts';
import { tokenDivergences } from './token-divergence.ts';
import { uld } from './uld.ts';
import { valueRelations } from './value-relations.ts';

/** The losses that stand in every recipe whose `objective` is a map, with their defaults: most have a weight of 0. */
export const STANDING_OBJECTIVES = registry('loss', [
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
]);

/** The losses that are in a recipe that names them. To add one: a file beside these, and a line here. */
export const NAMED_OBJECTIVES = registry('loss', [
  bce,
  bceKd,
  mse,
  mseKd,
  huberLabels,
  huberKd,
  cosine,
  cosineKd,
  tokenLabels,
  tokenKd,
  tokenDivergences,
  nextTokenKd,
  uld,
  alignedLikelihoods,
  infoNce,
  marginContrastive,
  affinityKd,
  centreFocal,
  centreFocalKd,
  centreSizes,
  centreSizesKd,
  ownLoss,
]);

/** The losses that can be weighed, in recipes and for `limbeck compile`, those of plugins too. */
export function allObjectives(): readonly ObjectiveKind[] {
  return [...STANDING_OBJECTIVES, ...NAMED_OBJECTIVES] as readonly unknown[] as readonly ObjectiveKind[];
}

/** Adds a loss that recipes can name. Throws LimbeckError `plugin.duplicate`, `plugin.kind`. */
export function registerObjective(objective: ObjectiveKind): void {
  requireFree(STANDING_OBJECTIVES, objective);
  register(NAMED_OBJECTIVES, objective);
}

type Standing = (typeof STANDING_OBJECTIVES)[number];
type Named = (typeof NAMED_OBJECTIVES)[number];

/** The short form of `objective` in a recipe: each loss at most once, under its name. */
export type ObjectiveMap = { [O in Standing as O['kind']]: z.output<O['options']> } & {
  [O in Named as O['kind']]?: z.output<O['options']> | undefined;
};

/** The options of the loss of a kind. */
export type OptionsOf<Kind extends (Standing | Named)['kind']> = z.output<
  Extract<Standing | Named, { kind: Kind }>['options']
>;

/** A term in the long form. */
export type ObjectiveItem = {
  [O in Standing | Named as O['kind']]: { readonly kind: O['kind'] } & z.output<O['options']>;
}[(Standing | Named)['kind']];

/** The same as it is written, without defaults. */
export type ObjectiveInput = {
  [O in Standing | Named as O['kind']]: { readonly kind: O['kind'] } & z.input<O['options']>;
}[(Standing | Named)['kind']];

/** What stands under `objective` in a recipe, with every default filled in. */
export type ObjectiveOptions = ObjectiveMap | readonly ObjectiveItem[];

/** A loss that a recipe names, and where. */
interface NamedTerm {
  readonly kind: ObjectiveKind;
  readonly own: { readonly weight: number };
  readonly where: string;
}

/**
 * The terms of a recipe's loss; those of weight 0 are left out.
 *
 * @throws LimbeckError `recipe.invalid` for two terms of one kind about one output
 */
export function objectiveTerms(options: ObjectiveOptions, context: ObjectiveContext): ObjectiveTerm[] {
  const names = new Set<string>();
  return applying(options, context).map(({ kind, own, where }) => {
    const term = kind.term(own, context);
    if (names.has(term.name)) {
      throw new LimbeckError('recipe.invalid', `the term '${term.name}' is there twice`, {
        where,
        remedy: 'Leave one out, or name another output for it.',
      });
    }
    names.add(term.name);
    return term;
  });
}

/** What the terms of a recipe's loss need of the teacher besides its answers, each once. */
export function knowledgeRequests(options: ObjectiveOptions, context: ObjectiveContext): KnowledgeRequest[] {
  const requests = applying(options, context).flatMap(
    ({ kind, own }) => kind.knowledge?.(own, context) ?? [],
  );
  return [...new Map(requests.map((request) => [request.tap, request])).values()];
}

/** The taps of the teacher's answers that the terms of a recipe's loss compare with the student's, each once. */
export function answersAsked(options: ObjectiveOptions, context: ObjectiveContext): string[] {
  return [
    ...new Set(applying(options, context).flatMap(({ kind, own }) => kind.answers?.(own, context) ?? [])),
  ];
}

/** The losses that a recipe weighs, each once. */
export function weighedKinds(options: ObjectiveOptions): ObjectiveKind[] {
  return [...new Set(weighed(options).map(({ kind }) => kind))];
}

/** The options of the terms of a kind that a recipe weighs. */
export function weighedOptions<Kind extends ObjectiveItem['kind']>(
  options: ObjectiveOptions,
  kind: Kind,
): OptionsOf<Kind>[] {
  return weighed(options)
    .filter((term) => term.kind.kind === kind)
    .map(({ own }) => own as OptionsOf<Kind>);
}

/** The same recipe's loss with other options for the terms of a kind. */
export function withOptions<Kind extends ObjectiveItem['kind']>(
  options: ObjectiveOptions,
  kind: Kind,
  change: (own: OptionsOf<Kind>) => OptionsOf<Kind>,
): ObjectiveOptions {
  if (isList(options))
    return options.map((item) =>
      item.kind === kind ? ({ ...change(item as OptionsOf<Kind>), kind } as ObjectiveItem) : item,
    );
  const own = options[kind] as OptionsOf<Kind> | undefined;
  return own === undefined ? options : { ...options, [kind]: change(own) };
}

function applying(options: ObjectiveOptions, context: ObjectiveContext): NamedTerm[] {
  return weighed(options).filter(({ kind }) => kind.applies?.(context) ?? true);
}

function weighed(options: ObjectiveOptions): NamedTerm[] {
  return named(options).filter(({ own }) => own.weight > 0);
}

/** The terms in the order of a list, or of the registry. */
function named(options: ObjectiveOptions): NamedTerm[] {
  if (isList(options)) {
    return options.map((own, index) => ({ kind: kindOf(own.kind), own, where: `objective[${index}]` }));
  }
  const given: Readonly<Record<string, NamedTerm['own'] | undefined>> = options;
  return allObjectives().flatMap((kind) => {
    const own = given[kind.kind];
    return own ? [{ kind, own, where: `objective.${kind.kind}` }] : [];
  });
}

function isList(options: ObjectiveOptions): options is readonly ObjectiveItem[] {
  return Array.isArray(options);
}

function kindOf(name: string): ObjectiveKind {
  return allObjectives().find(({ kind }) => kind === name) as ObjectiveKind;
}
