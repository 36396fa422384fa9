import { childOf, choicesOf, fitting, type SchemaNode } from './expectation.ts';
import { type Recipe, sharedJsonSchema } from './schema.ts';

/**
 * What every key of a recipe means, by key path: the schema's descriptions, with the choices where there are some.
 * For stringifyRecipe.
 */
export function explainRecipe(recipe: Recipe): Record<string, string> {
  const comments: Record<string, string> = {};
  const walk = (node: SchemaNode, value: unknown, prefix: string) => {
    const section = fitting(node, value);
    for (const [key, child] of Object.entries(section.properties ?? {})) {
      const childValue = childOf(value, key);
      if (childValue === undefined || typeof child !== 'object') continue;
      const comment = commentOf(child as SchemaNode);
      if (comment) comments[`${prefix}${key}`] = comment;
      walk(child as SchemaNode, childValue, `${prefix}${key}.`);
    }
  };
  walk(sharedJsonSchema(), recipe, '');
  return comments;
}

function commentOf(node: SchemaNode): string {
  const choices = choicesOf(node);
  const list = choices.length > 1 && !choices.includes('false') ? `(${choices.join(' | ')})` : '';
  return [node.description, list].filter(Boolean).join(' ');
}
