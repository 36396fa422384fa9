import { HOSTED_TEACHERS } from '../teachers/index.ts';
import type { UnplacedProblem } from './problems.ts';

/** Teachers that one of several cannot be, and why. */
const NO_CLASSES = 'its vectors are no classes: leave train out, and a head is trained on them';
const KINDS: Readonly<Record<string, string>> = {
  several: 'teachers of several are not several themselves: list all of them here',
  ...Object.fromEntries(
    HOSTED_TEACHERS.map(({ kind }) => [
      kind,
      'a hosted model is asked and paid by the sample, and does not run with others as one model: let it teach alone (its answers are kept), then name the student that it made as one of the teachers',
    ]),
  ),
};

/**
 * What one of several teachers cannot be or have, in words of its own: the schema alone would take it for a misspelling of the nearest
 * kind or key.
 *
 * @param value a recipe as it was written
 */
export function memberProblems(value: unknown): UnplacedProblem[] {
  const { teacher } = (value ?? {}) as { readonly teacher?: { kind?: unknown; teachers?: unknown } };
  if (teacher?.kind !== 'several' || !Array.isArray(teacher.teachers)) return [];
  return teacher.teachers.flatMap((member: unknown, i): UnplacedProblem[] => {
    if (typeof member !== 'object' || member === null) return [];
    const { kind, train } = member as { readonly kind?: unknown; readonly train?: unknown };
    const path = ['teacher', 'teachers', i];
    if (typeof kind === 'string' && Object.hasOwn(KINDS, kind))
      return [{ kind: 'value', path: [...path, 'kind'], message: `'${kind}': ${KINDS[kind]}` }];
    if (kind === 'use-lite' && train === 'none')
      return [{ kind: 'value', path: [...path, 'train'], message: NO_CLASSES }];
    return [];
  });
}
