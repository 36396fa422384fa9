import type { ContinualOptions } from '../../recipe/continual.ts';
import { artifact } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { DATA } from '../stages/data.ts';
import { stage } from '../stages/stage.ts';
import { type DividedRun, divideData } from './continual-run.ts';
import { TaskMeasure } from './measure-tasks.ts';
import type { ClassTasks } from './tasks.ts';

/** Classes that a warning names. */
const SHOWN = 10;

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
    warnOfUntaught(run, data, divided.tasks);
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

function warnOfUntaught(run: RunContext, { dataset }: TaskData, tasks: ClassTasks): void {
  const taught = new Set(tasks.flat());
  const untaught = dataset.labels.filter((_, label) => !taught.has(label));
  if (untaught.length === 0) return;
  const names = `'${untaught.slice(0, SHOWN).join("', '")}'${untaught.length > SHOWN ? ` and ${untaught.length - SHOWN} more` : ''}`;
  run.warn(
    `in no task, and never learnt: ${names}. Their samples are not used; the student has ${untaught.length === 1 ? 'an output for this class' : 'outputs for these classes'} all the same`,
  );
}

function warnOfUnused(run: RunContext): void {
  const { data, training } = run.recipe;
  if (data.augmentation) run.warn('samples are learnt as they are: data.augmentation is passed over');
  if (training.tokenDropout > 0)
    run.warn('samples are learnt as they are: training.tokenDropout is passed over');
}
