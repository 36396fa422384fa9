import type { Recipe } from '../../recipe/schema.ts';
import type { TaskData } from '../context/task.ts';

/**
 * Looks whether the teacher can write where a recipe wants texts of it, as soon as there are data: nothing is trained or asked before.
 *
 * @throws LimbeckError `recipe.invalid`
 */
export async function requireWriting(
  recipe: Pick<Recipe, 'data' | 'teacher'>,
  data: Pick<TaskData, 'task' | 'teacherReads'>,
): Promise<void> {
  if (!recipe.data.written || !recipe.teacher) return;
  // Loaded where it is used: pages do not pay for it.
  const { writingFile } = await import('./writer.ts');
  writingFile(data);
}
