import type { Problem } from './meaning.ts';
import { outputsOf, type StatedParts } from './parts.ts';

interface Trainable {
  readonly kind?: string;
  readonly train?: string;
  /** Of several: each of them. */
  readonly teachers?: readonly Trainable[];
}

interface Wanted extends Pick<StatedParts, 'outputs' | 'task' | 'data'> {
  readonly teacher?: Trainable;
}

/** A teacher that is to learn from labels, where an output has none. */
export function trainedTeacherProblems(recipe: Wanted): Problem[] {
  const { teacher = {} } = recipe;
  const untold = outputsOf(recipe).find(({ field, target }) => field === undefined && target !== 'pairs');
  if (!untold) return [];
  const members = (teacher.teachers ?? []).map((member, i) => ({ member, path: ['teacher', 'teachers', i] }));
  return [{ member: teacher, path: ['teacher'] }, ...members].flatMap(({ member, path }) => {
    const { train = 'none' } = member;
    if (train === 'none') return [];
    const message =
      `${train === 'all' ? 'a teacher' : 'the head of a teacher'} learns from labels, and nothing says what is true of the output ` +
      `'${untold.name}': set it to none (the teacher answers as it is), or name the column with the truth (outputs.${untold.name}.field)`;
    return [{ path: [...path, 'train'], message }];
  });
}
