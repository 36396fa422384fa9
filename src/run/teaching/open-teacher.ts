import type { Tokenizer } from '../../data/tokenizer.ts';
import { useLiteTokenizer } from '../../data/use-lite-tokenizer.ts';
import { openTeacher, type TeacherChoice } from '../../teachers/index.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../recipe-paths.ts';
import type { RunContext } from '../run-context.ts';

/** Opens the recipe's teacher, its paths kept inside the folders that a recipe may reach; null without one. */
export async function openRecipeTeacher(
  run: Pick<RunContext, 'recipe' | 'options'>,
): Promise<TeacherSource | null> {
  const { teacher } = run.recipe;
  if (!teacher) return null;
  const resolve = recipePathResolver(run.options, 'teacher');
  const choice: TeacherChoice =
    teacher.kind === 'onnx'
      ? { ...teacher, model: resolve(teacher.model), tokenizer: resolve(teacher.tokenizer) }
      : teacher;
  return openTeacher(choice);
}

/** The tokenizer of a run: its teacher's; without a teacher the sentence encoder's, which comes with npm. */
export async function runTokenizer(teacher: TeacherSource | null): Promise<Tokenizer> {
  return teacher?.tokenizer ?? (await useLiteTokenizer());
}
