import type { DistillRecipe } from '../../recipe/schema.ts';
import type { SeveralChoice } from '../../teachers/several/options.ts';
import type { Artifacts } from '../context/artifact.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { secondsForSamples } from './batch-counts.ts';
import { TEACHER_COST } from './costs.ts';
import type { TeacherCost } from './measure-teacher.ts';
import type { PlanningContext } from './planning-context.ts';
import type { TeacherPart } from './teacher-training.ts';

/** Several teachers are kept once more, with what each says alone; where validation weighs them, all are asked about it before. */
export function membersTogether(
  { data }: PlanningContext,
  recipe: DistillRecipe & { readonly teacher: SeveralChoice },
  { f32 }: TeacherCost,
): TeacherPart {
  const { validation } = data.dataset.splits;
  const isWeighed = recipe.teacher.weights === 'validation';
  const asked = isWeighed ? f32.openSeconds + secondsForSamples(validation, TEACHER_BATCH, f32.batch) : 0;
  // In parts they are asked from a file each time, which goes before the next one is written.
  const written = 1 + (f32.parts ? (isWeighed ? 2 : 1) : 0);
  return { seconds: written * f32.makeSeconds + asked, diskBytes: f32.bytes, note: '' };
}

export function isSeveral(
  recipe: DistillRecipe,
): recipe is DistillRecipe & { readonly teacher: SeveralChoice } {
  return recipe.teacher.kind === 'several';
}

/** Seconds for what each of several teachers says of the test split, which is asked besides what they say together. */
export function membersSeconds({ recipe, data }: PlanningContext, costs: Artifacts): number {
  const f32 = costs.find(TEACHER_COST)?.cost.f32;
  if (recipe.teacher?.kind !== 'several' || !f32) return 0;
  return f32.openSeconds + secondsForSamples(data.dataset.splits.test, TEACHER_BATCH, f32.batch);
}
