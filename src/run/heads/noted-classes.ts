import { LimbeckError } from '../../errors.ts';
import { byLikeness } from '../../nearest.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { classesOf, type Head } from '../../targets/head.ts';

const NEAREST = 3;

/**
 * Refuses notes on classes that there are not: nobody would be told what they say.
 *
 * @throws LimbeckError `teacher.unknown-class`
 */
export function requireNotedClasses({ teacher }: Pick<Recipe, 'teacher'>, heads: readonly Head[]): void {
  const notes = (teacher && 'classNotes' in teacher && teacher.classNotes) || {};
  const classes = new Set(heads.flatMap(namesOf));
  const unknown = Object.keys(notes).filter((name) => !classes.has(name));
  const [first] = unknown;
  if (first === undefined) return;
  const more = unknown.length > 1 ? ` and ${unknown.length - 1} others` : '';
  const nearest = byLikeness(first, [...classes])
    .slice(0, NEAREST)
    .map((name) => `'${name}'`);
  throw new LimbeckError('teacher.unknown-class', `there is a note on '${first}'${more}, which is no class`, {
    where: 'teacher.classNotes',
    remedy:
      nearest.length > 0
        ? `Name a class as the data do; the nearest are ${nearest.join(', ')}.`
        : 'Leave the notes out: no output of this recipe has classes.',
  });
}

/** The names that a hosted teacher is told: of spans their kinds, not the tags that they become. */
function namesOf(head: Head): readonly string[] {
  const { kinds } = head.space as { readonly kinds?: readonly string[] };
  return kinds ?? classesOf(head);
}
