import type { z } from 'zod';

/**
 * A check of a list in a schema: the second place of a name is told with the name.
 *
 * @param what `the class`
 * @example
 * z.array(z.string()).superRefine(noneTwice('the class'))
 */
export function noneTwice(what: string): (names: readonly string[], context: z.RefinementCtx) => void {
  return (names, context) => {
    const seen = new Set<string>();
    names.forEach((name, i) => {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: [i], message: `${what} '${name}' is there twice` });
      seen.add(name);
    });
  };
}
