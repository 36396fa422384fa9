import { createNodeEngine } from '../../engine/node.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { calibratedSizes } from '../../train/training-formulations.ts';
import { gradientLimit } from '../context/gradient-limit.ts';
import { storeFolder } from '../context/run-context.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { TaskData } from '../context/task.ts';
import { labelTerms, teacherTerms } from '../heads/label-terms.ts';
import { hasLabels } from '../heads/recipe-heads.ts';
import { LONG } from './formulate.ts';
import { calibrated, type KeptCalibration } from './kept-calibration.ts';

/**
 * Measures anew how the convolutions of a recipe's student are computed fastest on this machine, and keeps it beside the
 * store, where trainings find it. Says what was found.
 */
export async function examineCalibration(
  recipe: Recipe,
  data: TaskData,
  options: RunOptions,
): Promise<string> {
  const { training } = recipe;
  const { variants } = data.training(recipe.teacher === undefined ? 'labelled' : 'train');
  const sizes = calibratedSizes({ variants, accumulate: training.accumulate });
  if (!sizes) return 'there is nothing to train on';
  const found = await calibrated(
    storeFolder(recipe, options),
    {
      student: data.buildStudent(),
      sizes,
      // Which losses it has makes no difference to its convolutions.
      terms: hasLabels(recipe) ? labelTerms(data, recipe.objective) : teacherTerms(data),
      optimizer: createOptimizer(training.optimizer),
      ...gradientLimit(training),
      engine: options.engine ?? createNodeEngine({ provider: recipe.engine }),
      signal: options.signal,
    },
    { again: true },
  );
  return found ? calibrationSummary(found) : 'the student has no convolutions over images: nothing to choose';
}

/** What a calibration found, as a sentence. */
export function calibrationSummary({ trials, weightTrials, formulations, step }: KeptCalibration): string {
  const kinds = new Set([...Object.keys(trials), ...Object.keys(weightTrials)]).size;
  const measured = `${kinds} ${kinds === 1 ? 'kind' : 'kinds'} of convolutions measured`;
  if (!formulations) return `${measured}: a step is fastest as it is without`;
  const counts = new Map<string, number>();
  for (const form of Object.values(formulations.convolutions)) counts.set(form, (counts.get(form) ?? 0) + 1);
  const forms = [...counts].map(([form, count]) => `${count} ${form}`).join(', ');
  const milliseconds = [step.before, step.after].map((time) => (time === null ? '?' : time.toFixed(1)));
  return `${measured}, chosen: ${forms}; a step takes ${milliseconds[1]} ms of processor time instead of ${milliseconds[0]}, in trainings of ${LONG} steps or more`;
}
