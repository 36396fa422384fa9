import { LimbeckError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import type { AnswerGroups } from '../../objectives/answer-groups.ts';
import type { ContinualOptions } from '../../recipe/continual.ts';

/** The classes of each task, in the order in which the tasks are taught. */
export type ClassTasks = readonly (readonly number[])[];

/**
 * Divides the classes into tasks as the recipe says: in their order into groups of nearly the same size, or by name.
 *
 * @throws LimbeckError `recipe.invalid` for more tasks than classes, or a class that is not in the data.
 */
export function classTasks(tasks: ContinualOptions['tasks'], labels: readonly string[]): ClassTasks {
  if (typeof tasks !== 'number') {
    return tasks.map((names, task) => names.map((name) => labelOf(name, labels, task)));
  }
  if (tasks > labels.length) {
    throw new LimbeckError('recipe.invalid', `${labels.length} classes do not make ${tasks} tasks`, {
      where: 'continual.tasks',
      remedy: `Set it to ${labels.length} or less.`,
    });
  }
  const start = (task: number) => Math.floor((task * labels.length) / tasks);
  return Array.from({ length: tasks }, (_, task) =>
    Array.from({ length: start(task + 1) - start(task) }, (_, i) => start(task) + i),
  );
}

function labelOf(name: string, labels: readonly string[], task: number): number {
  const label = labels.indexOf(name);
  if (label >= 0) return label;
  const meant = nearest(name, labels);
  throw new LimbeckError('recipe.invalid', `there is no class '${name}' in the data`, {
    where: `continual.tasks[${task}]`,
    remedy: meant ? `Did you mean '${meant}'?` : `Its classes are ${labels.join(', ')}.`,
  });
}

/** Between which classes an answer is chosen when these tasks have been taught. */
export function answerGroups(setting: ContinualOptions['setting'], taught: ClassTasks): AnswerGroups {
  return setting === 'class-incremental' ? [taught.flat()] : taught;
}

/** The classes among which the answer to a sample is sought: those of its group, or of all groups where it is in none. */
export function choicesFor(groups: AnswerGroups, label: number): readonly number[] {
  return groups.find((group) => group.includes(label)) ?? groups.flat();
}
