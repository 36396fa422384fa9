import type { z } from 'zod';
import { type ErrorCode, LimbeckError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import {
  childOf,
  choicesOf,
  discriminatorOf,
  exclusiveKeys,
  expectation,
  keysOf,
  listed,
  quote,
  type SchemaNode,
  schemaAt,
  sectionsOf,
} from './expectation.ts';
import { meaningOf } from './key-places.ts';

/** One thing that is wrong in a recipe. */
export interface RecipeProblem {
  kind: 'syntax' | 'unknown-key' | 'missing' | 'value';
  /** The key path, e.g. `training.epochs`; empty for the recipe as a whole. */
  path: string;
  message: string;
  /** The nearest valid key or value. */
  suggestion?: string;
  /** From 1; absent when the recipe was not read from a file. */
  line?: number;
  column?: number;
  /** What line and column are of, when not the recipe's file: `--set training.epochs`. */
  origin?: string;
}

/** How many problems the message lists; more than that is one mistake with many echoes. */
const SHOWN = 20;

/** A recipe that cannot be used, with everything that is wrong in it. */
export class RecipeError extends LimbeckError {
  readonly problems: readonly RecipeProblem[];

  /** @param remedy in place of the usual one, where its maker knows better */
  constructor(problems: readonly RecipeProblem[], file?: string, remedy?: string) {
    const onlyUnknown = problems.every(({ kind }) => kind === 'unknown-key');
    const code: ErrorCode = onlyUnknown ? 'recipe.unknown-key' : 'recipe.invalid';
    const [first] = problems;
    if (problems.length === 1 && first) {
      super(code, describe(first), { where: placeOf(first, file), remedy: remedy ?? remedyOf(first) });
    } else {
      const lines = problems.slice(0, SHOWN).map((problem) => {
        const hint = problem.suggestion ? `; did you mean '${problem.suggestion}'?` : '';
        return `  ${placeOf(problem, file)}: ${describe(problem)}${hint}`;
      });
      if (problems.length > SHOWN) lines.push(`  ... and ${problems.length - SHOWN} more`);
      super(code, `the recipe has ${problems.length} problems\n${lines.join('\n')}\n `, {
        where: file,
        remedy: remedy ?? 'Correct them; `limbeck schema` prints all keys with their meaning.',
      });
    }
    this.problems = problems;
  }
}

function describe({ path, message }: RecipeProblem): string {
  return path ? `${path}: ${message}` : message;
}

function placeOf({ line, column, origin }: RecipeProblem, file = 'the recipe'): string {
  if (origin) return origin;
  return line === undefined ? file : `${file}:${line}:${column}`;
}

function remedyOf({ suggestion, kind }: RecipeProblem): string {
  if (suggestion) return `Did you mean '${suggestion}'?`;
  if (kind === 'missing') return 'Add it; `limbeck schema` prints all keys with their meaning.';
  return 'Correct it; `limbeck schema` prints all keys with their meaning.';
}

/** A problem before it has a place: `path` leads to the value, `key` to one key of that section. */
export interface UnplacedProblem extends Omit<RecipeProblem, 'path' | 'line' | 'column' | 'origin'> {
  path: PropertyKey[];
  key?: string;
}

/**
 * What zod found wrong, in words for the person: every unknown key on its own with the nearest valid one, every
 * wrong value with what the schema expects there.
 */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  root: SchemaNode,
  value: unknown,
): UnplacedProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], root, value));
}

function problemsOfIssue(
  issue: z.core.$ZodIssue,
  parent: readonly PropertyKey[],
  root: SchemaNode,
  value: unknown,
): UnplacedProblem[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(path, key, root, value));
  }
  if (issue.code === 'invalid_union') {
    const exclusive = exclusiveKeys(root, path, value);
    if (exclusive) {
      const forms = exclusive.map((keys) => keys.join(' and '));
      return [{ kind: 'value', path, message: `${forms.join(', ')} exclude each other: give one of them` }];
    }
    // Where the value has the shape of one alternative, its problems are meant, not that it is none of them.
    const inside = issue.errors.filter((errors) => errors.length > 0 && errors.every(isInside));
    const found = path.reduce<unknown>(childOf, value);
    const nested = inside.sort((a, b) => strangeness(a, found) - strangeness(b, found))[0];
    if (nested) return nested.flatMap((inner) => problemsOfIssue(inner, path, root, value));
  }
  return [wrongValue(issue, path, root, value)];
}

function isInside(issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}

/** How far a section is from an alternative: keys that one has and the other has not. */
function strangeness(errors: readonly z.core.$ZodIssue[], section: unknown): number {
  const keys = errors.map((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.length;
    return issue.path.length === 1 && childOf(section, issue.path[0] as PropertyKey) === undefined ? 1 : 0;
  });
  return keys.reduce((sum: number, count) => sum + count, 0);
}

function unknownKey(path: PropertyKey[], key: string, root: SchemaNode, value: unknown): UnplacedProblem {
  const section = schemaAt(root, path, value);
  const meaning = meaningOf(key, path, section, root);
  if (meaning && 'suggestion' in meaning)
    return { kind: 'unknown-key', path, key, message: 'unknown key', suggestion: meaning.suggestion };
  const keys = `the keys here are ${listed(keysOf(section), key)}`;
  const message = meaning
    ? `unknown key here: it belongs to ${meaning.kinds.map((kind) => `kind '${kind}'`).join(', ')}; ${keys}`
    : `unknown key; ${keys}`;
  return { kind: 'unknown-key', path, key, message };
}

function wrongValue(
  issue: z.core.$ZodIssue,
  path: PropertyKey[],
  root: SchemaNode,
  value: unknown,
): UnplacedProblem {
  const node = schemaAt(root, path, value) ?? kindNode(path, root, value);
  const found = path.reduce<unknown>(childOf, value);
  const said = saidOf(issue);
  if (issue.code === 'invalid_key')
    return { kind: 'value', path, message: `this is not a name: ${said ?? 'another text is expected'}` };
  if (issue.code === 'custom' && said !== undefined) return { kind: 'value', path, message: said };
  if (issue.code === 'invalid_format' && found !== undefined) {
    const form = said ?? `expected a text of the form ${patternOf(issue)}`;
    return { kind: 'value', path, message: `${form}, but it is ${quote(found)}` };
  }
  const expected = node ? expectation(node, found) : 'another value';
  const about = node?.description ? ` (${node.description})` : '';
  if (found === undefined)
    return { kind: 'missing', path, message: `is missing: expected ${expected}${about}` };
  const suggestion = typeof found === 'string' ? nearest(found, choicesOf(node)) : undefined;
  const empty = found === null ? 'is empty' : `is ${quote(found)}`;
  return {
    kind: 'value',
    path,
    message: `expected ${expected}, but it ${empty}`,
    // `student: text-conv`: the word is right, its place is not.
    ...(suggestion && {
      suggestion:
        suggestion === found ? `{ ${discriminatorOf(sectionsOf(node)) ?? 'kind'}: ${found} }` : suggestion,
    }),
  };
}

/** What the schema's author says of an issue; undefined where it is the library's own words. */
function saidOf(issue: z.core.$ZodIssue): string | undefined {
  const message = (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;
  return /^(Invalid|Too (big|small)|Unrecognized)/.test(message) ? undefined : message;
}

function patternOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_format' ? (issue.pattern ?? issue.format) : '';
}

/** What tells a section's alternatives apart (`kind`, `target`), where it is missing or unknown: what they offer. */
function kindNode(path: readonly PropertyKey[], root: SchemaNode, value: unknown): SchemaNode | undefined {
  const section = schemaAt(root, path.slice(0, -1), value);
  if (path.at(-1) !== discriminatorOf(sectionsOf(section))) return undefined;
  const kinds = choicesOf(section);
  return kinds.length > 0 ? { enum: kinds } : undefined;
}
