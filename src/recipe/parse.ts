import { isPair, isScalar, visit } from 'yaml';
import { keyText } from './key-path.ts';
import { memberProblems } from './member-problems.ts';
import { withOutputDefaults } from './outputs.ts';
import { applyOverride } from './override.ts';
import { problemsOf, RecipeError, type RecipeProblem, type UnplacedProblem } from './problems.ts';
import { RecipePlaces } from './recipe-places.ts';
import { type Recipe, recipeSchema, sharedJsonSchema } from './schema.ts';
import { withoutSwitchedOff } from './switched-off.ts';
import { type RecipeDocument, readYaml } from './yaml-document.ts';
import { TOO_DEEP } from './yaml-words.ts';

/** Recipes are written by people: far below this. */
const MAX_CHARACTERS = 1_000_000;

export interface ParseOptions {
  /** The recipe's file, for errors. */
  file?: string;
  /** Values that replace the file's, as `key.path=value` with a YAML value (the CLI's --set). */
  overrides?: readonly string[];
}

/**
 * Reads and checks a recipe.
 *
 * @throws RecipeError (a LimbeckError) with all problems, each with its place: `recipe.unknown-key` when unknown
 * keys are all that is wrong, else `recipe.invalid`.
 * @example parseRecipe(await readFile('recipe.yaml', 'utf8'), { file: 'recipe.yaml' })
 */
export function parseRecipe(text: string, options: ParseOptions = {}): Recipe {
  return readRecipe(text, options).recipe;
}

/** The same, with where its keys stand: for errors that come later. @throws RecipeError, as parseRecipe */
export function readRecipe(
  text: string,
  { file, overrides = [] }: ParseOptions = {},
): { readonly recipe: Recipe; readonly places: RecipePlaces } {
  const fail = (...problems: RecipeProblem[]) => new RecipeError(problems, file);
  const syntax = (message: string): RecipeProblem => ({ kind: 'syntax', path: '', message });
  if (text.length > MAX_CHARACTERS) {
    throw fail(syntax(`the recipe has ${text.length} characters: more than ${MAX_CHARACTERS} is no recipe`));
  }
  let yaml: RecipeDocument;
  let value: unknown;
  try {
    yaml = readYaml(text);
  } catch (error) {
    throw fail(syntax(`the recipe cannot be read: ${(error as Error).message}`));
  }
  // The library tells a nesting deeper than the stack as an error of its own, once for every level.
  if (yaml.syntax.some(({ message }) => message === TOO_DEEP || message.includes('call stack'))) {
    throw fail(syntax(TOO_DEEP));
  }
  if (yaml.syntax.length > 0) {
    throw fail(
      ...yaml.syntax.map(({ message, offset }) => ({ ...syntax(message), ...yaml.lineColumn(offset) })),
    );
  }
  if (yaml.document.contents === null) throw fail(syntax('the recipe is empty'));
  const overridden = overrides.map((override) => applyOverride(yaml, override));
  try {
    value = yaml.value();
  } catch (error) {
    if (!(error instanceof ReferenceError) || yaml.lastAlias === undefined)
      throw fail(syntax(`the recipe cannot be read: ${(error as Error).message}`));
    const message = 'values that stand for others (*name) make the recipe too large: write them out';
    throw fail({ ...syntax(message), ...yaml.lineColumn(yaml.lastAlias) });
  }
  const places = new RecipePlaces(yaml, { file, value, schema: sharedJsonSchema, overridden });
  const place = ({ path, key }: UnplacedProblem) => places.placeOf(path, key);
  return { recipe: check(value, place, file, prototypeKeys(yaml)), places };
}

/**
 * Checks a recipe that a program made (a RecipeInput), and fills in its defaults.
 *
 * @throws RecipeError, as parseRecipe, without lines.
 * @example
 * const recipe = checkRecipe({ name: 'mine', data, teacher: { kind: 'use-lite' }, student: { kind: 'text-conv' } });
 */
export function checkRecipe(value: unknown): Recipe {
  return check(value, () => ({}));
}

function check(
  value: unknown,
  place: (problem: UnplacedProblem) => Partial<RecipeProblem>,
  file?: string,
  extra: UnplacedProblem[] = [],
): Recipe {
  const wanted = withoutSwitchedOff(value, sharedJsonSchema());
  const members = memberProblems(wanted);
  const result = recipeSchema().safeParse(withOutputDefaults(wanted));
  if (result.success && extra.length === 0 && members.length === 0) return result.data;
  const issues = result.success ? [] : problemsOf(result.error.issues, sharedJsonSchema(), wanted);
  const told = new Set(members.map(pathText));
  const others = issues.filter((problem) => !told.has(pathText(problem)));
  const problems = [...extra, ...members, ...others].map((problem) => {
    const { key: _key, ...rest } = problem;
    return { ...rest, path: pathText(problem), ...place(problem) };
  });
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  throw new RecipeError(problems, file);
}

function pathText({ path, key }: UnplacedProblem): string {
  return keyText(key === undefined ? path : [...path, key]);
}

/** `__proto__` is a key that validators and object spreads pass over in silence; here it is an unknown key. */
function prototypeKeys({ document }: RecipeDocument): UnplacedProblem[] {
  const problems: UnplacedProblem[] = [];
  visit(document, {
    Pair(_index, pair, ancestors) {
      if (!isScalar(pair.key) || pair.key.value !== '__proto__') return;
      const path = ancestors.flatMap((node) =>
        isPair(node) && isScalar(node.key) ? [String(node.key.value)] : [],
      );
      problems.push({ kind: 'unknown-key', path, key: '__proto__', message: 'unknown key' });
    },
  });
  return problems;
}
