import { knowledgeRequests } from '../objectives/index.ts';
import { type Recipe, requireTeacher } from '../recipe/schema.ts';
import type { LabelResult, RunOptions } from './api.ts';
import { objectiveContext } from './pair-context.ts';
import { openRun } from './run-context.ts';
import { dataStage } from './stages/data.ts';
import { labelStage } from './stages/label.ts';
import { teacherStage } from './stages/teacher.ts';
import { openTask } from './tasks/index.ts';

/** Makes the teacher ready and asks it about every training sample, as the first stages of `distill` do. */
export async function label(recipe: Recipe, options: RunOptions): Promise<LabelResult> {
  requireTeacher(recipe);
  const run = await openRun(recipe, options);
  try {
    const data = await dataStage(run, await openTask(run));
    try {
      const teacher = await teacherStage(run, data);
      const { labelled, reused, repeated, seconds, space } = await labelStage(
        run,
        teacher,
        data,
        knowledgeRequests(recipe.objective, await objectiveContext(run, data, teacher)),
      );
      const kept = (await run.store.list()).find(({ id }) => id === space.info.id);
      const { precision, agreement } = teacher;
      return { labelled, reused, repeated, seconds, bytes: kept?.bytes ?? 0, precision, agreement };
    } finally {
      data.dataset.close();
    }
  } finally {
    await run.close();
  }
}
