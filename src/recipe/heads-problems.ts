import type { Problem } from './meaning.ts';

interface Wanted {
  readonly student: object;
  readonly outputs?: Readonly<Record<string, object>> | undefined;
}

/** Attention heads that do not divide the width of their layers: of the student, of its towers, and of what writes sentences. */
export function headsProblems({ student, outputs = {} }: Wanted): Problem[] {
  // What is cut out of a teacher has heads of a size of their own; its width is a part of the teacher's.
  const body = 'kind' in student && student.kind === 'cut' ? [] : partsOf(student, ['student']);
  const heads = Object.entries(outputs).flatMap(([name, part]) => partsOf(part, ['outputs', name]));
  return [...body, ...heads].flatMap(({ part, path }) => {
    if (!('heads' in part && 'width' in part)) return [];
    const { heads: count, width } = part;
    if (typeof count !== 'number' || typeof width !== 'number') return [];
    if ('keyHeads' in part && typeof part.keyHeads === 'number' && count % part.keyHeads !== 0) {
      const message = `${part.keyHeads} heads of keys do not divide ${count} heads: choose heads that are a multiple of keyHeads`;
      return [{ path: [...path, 'keyHeads'], message }];
    }
    if (width % count === 0) return [];
    const message = `${count} attention heads do not divide a width of ${width}: choose a width that is a multiple of heads`;
    return [{ path: [...path, 'heads'], message }];
  });
}

/** A section, and those directly in it. */
function partsOf(part: object, path: Problem['path']): { part: object; path: Problem['path'] }[] {
  const inner = Object.entries(part).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? [{ part: value, path: [...path, key] }] : [],
  );
  return [{ part, path }, ...inner];
}
