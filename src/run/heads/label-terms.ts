import { LimbeckError } from '../../errors.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { weighedOptions } from '../../objectives/index.ts';
import { infoNce } from '../../objectives/info-nce.ts';
import { kdTerm } from '../../objectives/kd-logits.ts';
import { termsOfOutputs } from '../../objectives/label-terms.ts';
import type { ObjectiveContext, ObjectiveTerm } from '../../objectives/objective.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { classesOf, type Head } from '../../targets/head.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';
import { taughtWith } from '../../targets/target.ts';
import type { TaskData } from '../context/task.ts';
import { isOneClass } from './head-metrics.ts';
import { sidesOf } from './pair-sides.ts';
import { isTaughtAlone } from './taught-truth.ts';

/** What losses may depend on of a model's outputs. */
export function outputContext({
  dataset,
  heads,
}: Pick<TaskData, 'dataset' | 'heads'>): Pick<
  ObjectiveContext,
  'classes' | 'mainOutput' | 'weighted' | 'spreads' | 'heads' | 'sides'
> {
  return {
    classes: dataset.labels.length || classesOf(heads[0] as Head).length,
    heads,
    mainOutput: (heads[0] as Head).output,
    spreads: spreadsOf(heads),
    ...(heads.some(({ target }) => target.kind === 'pairs') && { sides: sidesOf(dataset.inputs) }),
    weighted: new Set(heads.filter(({ weights }) => weights !== undefined).map(({ output }) => output)),
  };
}

/** How far the numbers of outputs lie apart, of those that have a unit. */
export function spreadsOf(heads: readonly Head[]): ReadonlyMap<string, number> {
  return new Map(
    heads.flatMap(({ output, target, space }) =>
      target.spread ? [[output, target.spread(space)] as const] : [],
    ),
  );
}

/**
 * The loss of a training on the labels alone: of every output that has some, in equal parts. Pairs learn by InfoNCE, with
 * the temperature that the recipe's objective has for it.
 */
export function labelTerms(
  data: Pick<TaskData, 'dataset' | 'heads'>,
  objective?: Recipe['objective'],
): ObjectiveTerm[] {
  if (isOneClass(data.heads)) return [labelsTerm({ weight: 1 })];
  const heads = data.heads.filter((head) => !isTaughtAlone(head));
  if (heads.length === 0) {
    throw new LimbeckError('recipe.invalid', 'no output has a field: only a teacher can teach it', {
      where: 'outputs',
      remedy: 'Name the column with the values (outputs.NAME.field), or distil with a teacher.',
    });
  }
  const context = outputContext(data);
  const pairs = heads.filter(({ target }) => target.kind === 'pairs');
  const [named] = objective ? weighedOptions(objective, 'infoNce') : [];
  const { temperature } = named ?? { temperature: 0.05 };
  const contrastive = pairs.map(() =>
    infoNce.term({ weight: 1, outputs: [TEXT_EMBEDS, IMAGE_EMBEDS], temperature }, context),
  );
  const others = heads.filter((head) => !pairs.includes(head));
  return [
    ...contrastive,
    ...termsOfOutputs(
      others.map(({ output, target }) => ({ output, objective: target.objective.labels })),
      context,
    ),
  ];
}

/** The loss of a training on the teacher's answers alone. */
export function teacherTerms(data: Pick<TaskData, 'dataset' | 'heads'>): ObjectiveTerm[] {
  if (isOneClass(data.heads)) return [kdTerm({ weight: 1, temperature: 1 })];
  return termsOfOutputs(
    data.heads.map(({ output, target, options, kept }) => ({
      output,
      objective: kept ? taughtWith(target, options) : target.objective.teacher,
    })),
    outputContext(data),
  );
}

/**
 * The loss towards answers that are computed inside of the step, so that they are whole: what the recipe keeps of stored ones
 * (`outputs.NAME.keep`) is not asked.
 */
export function wholeAnswerTerms(data: Pick<TaskData, 'dataset' | 'heads'>): ObjectiveTerm[] {
  return teacherTerms({ ...data, heads: data.heads.map((head) => ({ ...head, kept: undefined })) });
}
