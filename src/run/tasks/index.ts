import { LimbeckError } from '../../errors.ts';
import { modalitiesOf } from '../../recipe/misplaced-kinds.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { Task } from '../context/task.ts';
import { imageClassification } from './image-classification.ts';
import { textClassification } from './text-classification.ts';

/** What runs read, by modality. */
const READERS: Readonly<Record<string, typeof textClassification>> = {
  text: textClassification,
  image: imageClassification,
};

/** Opens what the recipe's task needs before its data: its teacher, its tokenizer. */
export function openTask(run: { readonly recipe: Recipe; readonly options: RunOptions }): Promise<Task> {
  const modalities = modalitiesOf(run.recipe);
  const open = READERS[modalities];
  if (open) return open(run);
  throw new LimbeckError('recipe.invalid', `runs do not read ${modalities} yet`, {
    where: 'inputs',
    remedy: `Read one of ${Object.keys(READERS).join(', ')}.`,
  });
}
