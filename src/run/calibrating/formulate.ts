import type { Formulations } from '../../onnx/formulations.ts';
import type { StepOptions } from '../../train/compile-step.ts';
import { type RunContext, storeFolder } from '../context/run-context.ts';
import { calibrated } from './kept-calibration.ts';

/** A calibration takes about as long as 20 steps, and gains up to a fifth of each: a training this long gets one. */
export const LONG = 500;

/**
 * How a run's training computes its convolutions: as was measured on this machine, where the training is long enough for
 * it to be measured or an earlier one did (`TrainingOptions.formulate`).
 */
export function formulateFor(
  run: Pick<RunContext, 'engine' | 'recipe' | 'options'>,
  totalSteps: number,
): { formulate?(step: StepOptions): Promise<Formulations | undefined> } {
  if (totalSteps < LONG) return {};
  return {
    async formulate(step) {
      const { engine, recipe, options } = run;
      const kept = await calibrated(storeFolder(recipe, options), {
        ...step,
        engine,
        signal: options.signal,
      });
      return kept?.formulations;
    },
  };
}
