import { inputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { ModelCardFacts } from '../../report/model-card.ts';

/** What a recipe says that goes into the card of its student. */
export function cardFacts(recipe: Recipe): ModelCardFacts {
  const { task, export: exported, data } = recipe;
  const pair = inputsOf(recipe).find(({ fields }) => fields.length > 1);
  return {
    task,
    license: exported.license,
    languages: exported.languages,
    maxLength: data.maxLength,
    ...(pair && { pair: pair.fields as [string, string] }),
  };
}
