import { Document, isMap, isScalar, isSeq, type Node, visit } from 'yaml';
import { objectiveSchema } from './objective.ts';
import type { Recipe, RecipeInput } from './schema.ts';

/**
 * A recipe as YAML. Losses that it does not weigh and says nothing of are left out: there are many, and reading it again
 * gives the same recipe. `comments` are put above the key with that path (`training.epochs`); the one with the empty path
 * opens the file.
 *
 * @example stringifyRecipe(recipe, { '': 'Written by Limbeck 0.1.0', 'training.epochs': 'At most.' })
 */
export function stringifyRecipe(
  recipe: Recipe | RecipeInput,
  comments: Readonly<Record<string, string>> = {},
): string {
  const document = new Document(withoutUnweighted(recipe), { aliasDuplicateObjects: false });
  visit(document, {
    Seq(_key, list) {
      // [16, 32, 64] reads better than a line for each.
      if (list.items.every((item) => isScalar(item))) list.flow = true;
    },
  });
  for (const [path, comment] of Object.entries(comments)) {
    const text = comment
      .split('\n')
      .map((line) => ` ${line}`)
      .join('\n');
    if (path === '') document.commentBefore = text;
    else commentAbove(document, path.split('.'), text);
  }
  return document.toString({ lineWidth: 110, flowCollectionPadding: false });
}

function withoutUnweighted<R extends Recipe | RecipeInput>(recipe: R): R {
  if (!recipe.objective || Array.isArray(recipe.objective)) return recipe;
  const unsaid: Readonly<Record<string, unknown>> = { ...objectiveSchema().parse({ kd: {} }) };
  const told = Object.entries(recipe.objective).filter(([name, options]) => {
    const isWeighed = (options as { weight?: number }).weight !== 0;
    return isWeighed || JSON.stringify(options) !== JSON.stringify(unsaid[name]);
  });
  return { ...recipe, objective: Object.fromEntries(told) };
}

function commentAbove(document: Document, path: string[], comment: string): void {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isSeq(parent) || !isMap(parent)) return;
  const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1));
  if (pair) (pair.key as Node).commentBefore = comment;
}
