import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { isHosted, type Recipe, requireTextTeacher, type TextDistillRecipe } from '../../recipe/schema.ts';
import { openTeacher, type TeacherChoice } from '../../teachers/index.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { RunOptions } from '../context/run-options.ts';
import { isClassifier } from '../heads/recipe-heads.ts';

/** Opens a recipe's teacher, its paths kept inside the folders that a recipe may reach. */
export async function openRecipeTeacher(run: {
  readonly recipe: TextDistillRecipe;
  readonly options: Pick<RunOptions, 'recipeFolder' | 'allowPaths'>;
}): Promise<TextTeacherSource> {
  const { teacher } = run.recipe;
  const resolve = recipePathResolver(run.options, 'teacher');
  const choice: TeacherChoice =
    teacher.kind === 'onnx'
      ? {
          ...teacher,
          model: resolve(teacher.model),
          tokenizer: teacher.tokenizer === undefined ? undefined : resolve(teacher.tokenizer),
        }
      : teacher;
  return openTeacher(choice, isClassifier(run.recipe) ? 'class' : 'any');
}

/** The tokenizer of a run: its teacher's; without a teacher, or with one that is asked somewhere else, the sentence encoder's, which comes with npm. */
export async function runTokenizer(run: {
  readonly recipe: Recipe;
  readonly options: Pick<RunOptions, 'recipeFolder' | 'allowPaths'>;
}): Promise<Tokenizer> {
  const { recipe } = run;
  if (!recipe.teacher || isHosted(recipe)) return useLiteTokenizer();
  requireTextTeacher(recipe);
  return (await openRecipeTeacher({ ...run, recipe })).tokenizer;
}
