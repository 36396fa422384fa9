import { LimbeckError } from '../../errors.ts';
import { averageAccuracy } from '../../report/continual-metrics.ts';
import { type ContinualResult, learnsInTurn } from '../../report/continual-result.ts';
import { withParameters } from '../../train/step-graph.ts';
import type { RunContext } from '../run-context.ts';
import { evaluateStudent } from '../stages/evaluate.ts';
import { type ExportInputs, exportStage, type Shipped } from '../stages/export.ts';
import { writeTaskCard } from './card.ts';
import type { ContinualRun } from './continual-run.ts';
import { lastTraining, type MethodMatrices } from './learn.ts';
import { learntParameters } from './train-task.ts';

/**
 * Writes the student of the method that is best over all tasks, on the validation split, as `distill` writes its own:
 * `student/` in the Hugging Face layout, in float32 and int8. Of methods that learn in turn, if there are any: `joint`
 * has seen what a lifelong learner has not. undefined where its checkpoint is gone.
 */
export async function shipBestStudent(
  of: ContinualRun,
  measured: readonly MethodMatrices[],
): Promise<ContinualResult['shipped']> {
  const { run, data, student } = of;
  const inTurn = measured.filter(learnsInTurn);
  const final = ({ validation }: MethodMatrices) => averageAccuracy(validation);
  const [best] = inTurn.length > 0 ? inTurn.toSorted((a, b) => final(b) - final(a)) : measured;
  const learnt = best && learntParameters(run, student, lastTraining(of, best.method));
  if (!best || !learnt) {
    run.warn('the checkpoint of the last task is gone: no student is written');
    return undefined;
  }
  const trained = {
    student: withParameters(student, learnt.parameters),
    validation: { accuracy: final(best) },
  };
  const shipped = await exportWithin(run, { data, student: trained, baseline: null });
  const { answers, ...files } = await evaluateStudent(run, data, shipped);
  const result = { method: best.method, ...files };
  writeTaskCard(of, result, answers);
  return result;
}

/** A student without int8 is better than none after so many trainings. */
async function exportWithin(run: RunContext, inputs: ExportInputs): Promise<Shipped> {
  try {
    return await exportStage(run, inputs);
  } catch (error) {
    if (!(error instanceof LimbeckError) || error.code !== 'export.int8-drop') throw error;
    run.warn(`${error.message}: the student is written in float32 alone`);
    const recipe = { ...run.recipe, export: { ...run.recipe.export, int8: false as const } };
    return exportStage({ ...run, recipe }, inputs);
  }
}
