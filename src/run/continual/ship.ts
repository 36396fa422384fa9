import { LimbeckError } from '../../errors.ts';
import type { ContinualMethod } from '../../recipe/continual.ts';
import { averageAccuracy } from '../../report/continual-metrics.ts';
import { learnsInTurn } from '../../report/continual-result.ts';
import { withParameters } from '../../train/step-graph.ts';
import { type Artifact, optional } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { StageEnd } from '../context/stage-end.ts';
import type { Shipped } from '../shipping/shipped.ts';
import { type ExportInputs, exportFiles, SHIPPED } from '../stages/export.ts';
import { type Stage, stage } from '../stages/stage.ts';
import { TASK_ANSWERS } from './ask-stage.ts';
import type { ContinualRun } from './continual-run.ts';
import { DIVIDED } from './divide-stage.ts';
import { lastTraining, learntBy, type MethodMatrices } from './learn.ts';
import { learntParameters } from './train-task.ts';

/**
 * Writes the student of the method that is best over all tasks, on the validation split, as `distill` writes its own:
 * `student/` in the Hugging Face layout, in float32 and int8. Nothing where its checkpoint is gone.
 */
export function exportBestStage(methods: readonly ContinualMethod[]): Stage {
  return stage({
    name: 'export',
    about: 'write and quantise the files',
    needs: { divided: DIVIDED, teacher: optional(TASK_ANSWERS), ...learntByAll(methods) },
    makes: SHIPPED,
    title: () => 'Export the student',
    async run(run, { divided, teacher, ...learnt }): Promise<StageEnd<Shipped | undefined>> {
      const of: ContinualRun = { ...divided, teacher };
      const best = bestOf(Object.values(learnt));
      const { parameters } = learntParameters(run, of.student, lastTraining(of, best.method)) ?? {};
      if (!parameters) {
        run.warn('the checkpoint of the last task is gone: no student is written');
        return { value: undefined, summary: 'no student is written' };
      }
      const student = {
        student: withParameters(of.student, parameters),
        validation: { accuracy: averageAccuracy(best.validation) },
      };
      return exportWithin(run, { data: of.data, student, baseline: null });
    },
    plan: async () => undefined,
  });
}

/** What each method came to, by its name. */
export function learntByAll(methods: readonly ContinualMethod[]): LearntByAll {
  return Object.fromEntries(methods.map((method) => [`learnt/${method}`, learntBy(method)])) as LearntByAll;
}

/** For those methods that a run compares. */
type LearntByAll = Readonly<Record<`learnt/${ContinualMethod}`, Artifact<MethodMatrices>>>;

/**
 * The method whose student ships. Of those that learn in turn, if there are any: `joint` has seen what a lifelong learner has
 * not.
 */
export function bestOf(learnt: readonly MethodMatrices[]): MethodMatrices {
  const inTurn = learnt.filter(learnsInTurn);
  const final = ({ validation }: MethodMatrices) => averageAccuracy(validation);
  const [best] = inTurn.length > 0 ? inTurn.toSorted((a, b) => final(b) - final(a)) : learnt;
  return best;
}

/** A student without int8 is better than none after so many trainings. */
async function exportWithin(run: RunContext, inputs: ExportInputs): Promise<StageEnd<Shipped>> {
  try {
    return await exportFiles(run, inputs);
  } catch (error) {
    if (!(error instanceof LimbeckError) || error.code !== 'export.int8-drop') throw error;
    run.warn(`${error.message}: the student is written in float32 alone`);
    const recipe = { ...run.recipe, export: { ...run.recipe.export, int8: false as const } };
    return exportFiles({ ...run, recipe }, inputs);
  }
}
