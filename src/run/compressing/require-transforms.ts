import { duringTraining, foreseeTransforms } from '../../compress/transforms/apply-transforms.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TaskData } from '../context/task.ts';
import { transformsOf } from './transforms-of.ts';

/**
 * Looks whether a recipe's transforms fit its student, as soon as there are data: a teacher that is trained or asked first would have cost
 * its time for nothing.
 *
 * @throws LimbeckError `compress.invalid`
 */
export async function requireTransforms(
  recipe: Recipe,
  data: Pick<TaskData, 'buildStudent' | 'heads'>,
): Promise<void> {
  if (!recipe.compress) return;
  const list = transformsOf(recipe, data.heads);
  const { student, finish } = duringTraining(data.buildStudent(), list);
  await foreseeTransforms(finish(student), list);
}
