import { LimbeckError } from '../../errors.ts';
import { CONTINUAL_METHODS, type ContinualMethod, type ContinualOptions } from '../../recipe/continual.ts';

/** What a method holds against forgetting. */
export type Remedy = 'self' | 'ewc' | 'replay' | 'teacher';

const REMEDIES: Readonly<Record<ContinualMethod, readonly Remedy[]>> = {
  naive: [],
  self: ['self'],
  ewc: ['ewc'],
  replay: ['replay'],
  teacher: ['teacher'],
  all: ['self', 'ewc', 'replay', 'teacher'],
  joint: [],
};

export const METHOD_TITLES: Readonly<Record<ContinualMethod, string>> = {
  naive: 'fine-tuning, nothing held against forgetting',
  self: 'distillation from its own past',
  ewc: 'elastic weight consolidation',
  replay: 'a reservoir of samples and past answers',
  teacher: "the teacher's answers",
  all: 'all remedies together',
  joint: 'all tasks at once, the upper bound',
};

/** The remedies of a method in a recipe with or without a teacher. */
export function remediesOf(method: ContinualMethod, hasTeacher: boolean): readonly Remedy[] {
  return REMEDIES[method].filter((remedy) => hasTeacher || remedy !== 'teacher');
}

/**
 * What a recipe compares: what it names, or everything that it has the parts for.
 *
 * @throws LimbeckError `recipe.no-teacher` for the method `teacher` without one.
 */
export function comparedMethods({ methods }: ContinualOptions, hasTeacher: boolean): ContinualMethod[] {
  if (!methods) return CONTINUAL_METHODS.filter((method) => hasTeacher || method !== 'teacher');
  if (methods.includes('teacher') && !hasTeacher) {
    throw new LimbeckError(
      'recipe.no-teacher',
      "the method 'teacher' needs a teacher, the recipe names none",
      {
        where: 'continual.methods',
        remedy: 'Add a teacher, or leave the method out.',
      },
    );
  }
  // In the order of the registry, whatever the recipe's: naive first, for the others are compared with it.
  return CONTINUAL_METHODS.filter((method) => methods.includes(method));
}
