import type { Recipe } from '../../recipe/schema.ts';
import type { TaskData } from '../context/task.ts';

/**
 * Looks whether the teacher can write where a recipe wants texts of it, or judge those of its student, as soon as there are data:
 * nothing is trained or asked before.
 *
 * @throws LimbeckError `recipe.invalid`
 */
export async function requireWriting(
  recipe: Pick<Recipe, 'data' | 'teacher' | 'training'>,
  data: Pick<TaskData, 'task' | 'teacherReads'>,
): Promise<void> {
  const {
    data: { written },
    training: { onPolicy },
  } = recipe;
  if (!recipe.teacher || !(written || onPolicy)) return;
  // Loaded where it is used: pages do not pay for it.
  const { requireSameTokens, writingFile } = await import('./writer.ts');
  if (written) writingFile(data);
  if (onPolicy) requireSameTokens(data, 'training.onPolicy');
}
