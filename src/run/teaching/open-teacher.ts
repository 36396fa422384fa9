import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { isHosted, requireTextTeacher, type TextDistillRecipe } from '../../recipe/schema.ts';
import { openTeacher, type TeacherChoice } from '../../teachers/index.ts';
import type { TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';
import { isClassifier } from '../heads/recipe-heads.ts';
import { type LocalTeacher, localTeacher, type TeacherRun } from './local-teacher.ts';

/** Opens a recipe's teacher of texts. @throws LimbeckError of `localTeacher`, and what opening it throws */
export async function openRecipeTeacher(
  run: TeacherRun & { readonly recipe: TextDistillRecipe },
): Promise<TextTeacherSource> {
  const local = (await localTeacher(run)) as LocalTeacher;
  const source = await openTeacher(
    local.choice as unknown as TeacherChoice,
    isClassifier(run.recipe) ? 'class' : 'any',
  );
  return withOrigin(source, local);
}

/** An opened teacher with what is known of where it comes from. */
export function withOrigin<T extends TeacherSource>(
  source: T,
  { title, notes, origin, licence }: LocalTeacher,
): T {
  return {
    ...source,
    ...(title !== undefined && { title }),
    notes: [...notes, ...(source.notes ?? [])],
    origin,
    ...(licence && { licences: [licence] }),
  };
}

/** The tokenizer of a run: its teacher's; without a teacher, or with one that is asked somewhere else, the sentence encoder's, which comes with npm. */
export async function runTokenizer(run: TeacherRun): Promise<Tokenizer> {
  const { recipe } = run;
  if (!recipe.teacher || isHosted(recipe)) return useLiteTokenizer();
  requireTextTeacher(recipe);
  return (await openRecipeTeacher({ ...run, recipe })).tokenizer;
}
