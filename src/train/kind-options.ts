import type { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { issueInWords } from '../issue-in-words.ts';
import { nearest } from '../nearest.ts';

interface Entry {
  readonly kind: string;
  readonly options: z.ZodObject;
}

/**
 * The entry of a registry that `given.kind` names, and its options with their defaults.
 *
 * @param what what the registry holds, for errors: `objective`, `optimizer`
 * @throws LimbeckError `compile.option`: unknown kinds and options with the nearest ones, values out of range
 */
export function kindOptions<E extends Entry>(
  what: string,
  entries: readonly E[],
  { kind, ...given }: { readonly kind: string; readonly [option: string]: unknown },
): { readonly entry: E; readonly options: Record<string, unknown> } {
  const kinds = entries.map((entry) => entry.kind);
  const entry = entries.find((candidate) => candidate.kind === kind);
  if (!entry) {
    const meant = nearest(kind, kinds);
    throw new LimbeckError('compile.option', `there is no ${what} '${kind}'`, {
      where: what,
      remedy: `${meant ? `Did you mean '${meant}'? ` : ''}There are ${kinds.join(', ')}.`,
    });
  }
  const parsed = entry.options.safeParse(given);
  if (parsed.success) return { entry, options: parsed.data };
  const [issue] = parsed.error.issues;
  throw optionError(`${what} ${kind}`, issue as z.core.$ZodIssue, entry.options, given);
}

function optionError(
  where: string,
  issue: z.core.$ZodIssue,
  schema: z.ZodObject,
  given: Readonly<Record<string, unknown>>,
): LimbeckError {
  const keys = Object.keys(schema.shape);
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys as [string];
    const meant = nearest(key, keys);
    return new LimbeckError('compile.option', `${where} has no option '${key}'`, {
      where,
      remedy: `${meant ? `Did you mean '${meant}'? ` : ''}Its options are ${keys.join(', ')}.`,
    });
  }
  const key = String(issue.path[0] ?? '');
  const value = given[key];
  const problem =
    value === undefined
      ? `${where} needs the option '${key}'`
      : `${key} of ${where} is ${JSON.stringify(value)}`;
  return new LimbeckError('compile.option', `${problem}: ${issueInWords({ ...issue, path: [] })}`, {
    where: `${where}, option ${key}`,
    remedy: value === undefined ? 'Give it.' : 'Correct the value.',
  });
}
