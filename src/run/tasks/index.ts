import type { Recipe } from '../../recipe/schema.ts';
import type { RunOptions } from '../api.ts';
import { imageClassification } from './image-classification.ts';
import type { Task } from './task.ts';
import { textClassification } from './text-classification.ts';

/** The tasks that a recipe can name. To add one: a file beside these, and a line here. */
const TASKS = {
  'text-classification': textClassification,
  'image-classification': imageClassification,
} as const;

/** Opens what the recipe's task needs before its data: its teacher, its tokenizer. */
export function openTask(run: { readonly recipe: Recipe; readonly options: RunOptions }): Promise<Task> {
  return TASKS[run.recipe.task](run);
}
