import { Document, isMap, isScalar, isSeq, type Node, visit } from 'yaml';
import type { Recipe, RecipeInput } from './schema.ts';

/**
 * A recipe as YAML. `comments` are put above the key with that path (`training.epochs`); the one with the empty path
 * opens the file.
 *
 * @example stringifyRecipe(recipe, { '': 'Written by Limbeck 0.1.0', 'training.epochs': 'At most.' })
 */
export function stringifyRecipe(
  recipe: Recipe | RecipeInput,
  comments: Readonly<Record<string, string>> = {},
): string {
  const document = new Document(recipe, { aliasDuplicateObjects: false });
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

function commentAbove(document: Document, path: string[], comment: string): void {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isSeq(parent) || !isMap(parent)) return;
  const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1));
  if (pair) (pair.key as Node).commentBefore = comment;
}
