import { type Recipe, requireTeacher } from '../recipe/schema.ts';
import type { LabelResult } from './api.ts';
import { openRun } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import { LABEL } from './stages/index.ts';
import { LESSONS } from './stages/label.ts';
import { runStages } from './stages/runner.ts';
import { TEACHER } from './stages/teacher.ts';

/** Makes the teacher ready and asks it about every training sample, as the first stages of `distill` do. */
export async function label(recipe: Recipe, options: RunOptions): Promise<LabelResult> {
  requireTeacher(recipe);
  const run = await openRun(recipe, options);
  try {
    run.store.requireWritable();
    const { teacher, lessons } = await runStages(run, LABEL, { teacher: TEACHER, lessons: LESSONS });
    const { labelled, reused, repeated, seconds, space, precision } = lessons.answers;
    const kept = (await run.store.list()).find(({ id }) => id === space.info.id);
    const { agreement } = teacher;
    return { labelled, reused, repeated, seconds, bytes: kept?.bytes ?? 0, precision, agreement };
  } finally {
    await run.close();
  }
}
