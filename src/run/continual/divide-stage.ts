import type { ContinualOptions } from '../../recipe/continual.ts';
import { artifact } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import { DATA } from '../stages/data.ts';
import { stage } from '../stages/stage.ts';
import { type DividedRun, divideData } from './continual-run.ts';
import { TaskMeasure } from './measure-tasks.ts';

export const DIVIDED = artifact<DividedRun>('divided');

/** Divides the data into the tasks that are learnt one after another. Its time is that of the data. */
export const divideStage = stage({
  name: 'data',
  about: 'read and split the data',
  needs: { data: DATA },
  makes: DIVIDED,
  title: () => 'Divide the data into tasks',
  async run(run, { data }) {
    warnOfUnused(run);
    const options = run.recipe.continual as ContinualOptions;
    const divided = divideData(data, options);
    const student = data.buildStudent();
    const measure = new TaskMeasure(run, data, student, divided.samples);
    // What an earlier part of the run wrote of its trainings is written again with them.
    run.folder.resetMetrics('train');
    const value = { run, data, options, ...divided, student, measure, told: new Set<string>() };
    const classes = divided.tasks.map(({ length }) => length).join(', ');
    return { value, summary: `${divided.tasks.length} tasks, of ${classes} classes` };
  },
  release: ({ measure }) => measure.close(),
  plan: async () => undefined,
});

function warnOfUnused(run: RunContext): void {
  const { data, training } = run.recipe;
  if (data.augmentation) run.warn('samples are learnt as they are: data.augmentation is passed over');
  if (training.tokenDropout > 0)
    run.warn('samples are learnt as they are: training.tokenDropout is passed over');
}
