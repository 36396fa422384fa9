import { stringify } from 'yaml';
import { explainRecipe } from '../../recipe/explain.ts';
import { taskOf } from '../../recipe/misplaced-kinds.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { RecipeError, type RecipeProblem } from '../../recipe/problems.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { stringifyRecipe } from '../../recipe/write.ts';

/** What `limbeck init` has to know; everything else starts with its default. */
export interface Answers {
  name: string;
  source: Record<string, unknown> & { kind: string };
  /** The one that the source is for, when absent. */
  task?: Recipe['task'] | undefined;
  /** Undefined for a recipe without a teacher. */
  teacher: string | undefined;
  student: string;
  labelsPerClass: 'all' | number;
  /** `key.path=value`, put over the rest. */
  set: readonly string[];
}

/**
 * A whole recipe, with a comment on every key.
 *
 * @param schema where editors find the JSON schema, as seen from the recipe's file
 * @throws RecipeError when the answers make no valid recipe
 */
export function draftRecipe(answers: Answers, schema: string): string {
  const { name, source, task, teacher, student, labelsPerClass, set } = answers;
  const input = {
    name,
    task: task ?? taskOf(source.kind),
    data: { source, labelsPerClass },
    ...(teacher && { teacher: { kind: teacher } }),
    student: { kind: student },
  };
  const recipe = withoutLines(() => parseRecipe(stringify(input), { overrides: set }));
  return stringifyRecipe(recipe, {
    '': `yaml-language-server: $schema=${schema}`,
    ...explainRecipe(recipe),
  });
}

/** Lines of a text that nobody has seen would only puzzle. */
function withoutLines<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    const problems = error.problems.map(({ line: _line, column: _column, ...problem }) => problem);
    throw new RecipeError(problems, undefined, waysToGive(problems));
  }
}

/** How to give what is missing, where nothing else is wrong. */
function waysToGive(problems: readonly RecipeProblem[]): string | undefined {
  if (!problems.every(({ kind }) => kind === 'missing')) return undefined;
  return `Give ${problems.length === 1 ? 'it' : 'them'}: ${problems.map(({ path }) => `--set ${path}=...`).join(' ')}`;
}
