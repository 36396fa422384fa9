import type { Formulations } from '../onnx/formulations.ts';
import { channelBlock } from './calibration/channel-block.ts';
import type { StepOptions } from './compile-step.ts';
import type { StageOptions } from './compiled-stage.ts';
import { partSizes } from './steps/batch-parts.ts';
import type { TrainingProgress } from './training-progress.ts';
import type { TrainingStage } from './training-stage.ts';

export interface FormulatedTraining extends StageOptions {
  /** How the convolutions of a step are computed on this machine; asked once, a training that goes on keeps the answer. */
  formulate?(step: StepOptions): Promise<Formulations | undefined>;
  onWarning?(message: string): void;
}

/** The sizes of the step that is measured: of the first variant, or of a part of its batches. */
export function calibratedSizes({
  variants,
  accumulate = 1,
}: Pick<StageOptions, 'variants' | 'accumulate'>): Readonly<Record<string, number>> | undefined {
  const [sizes] = Object.values(variants);
  return sizes && accumulate > 1 ? partSizes(sizes, accumulate) : sizes;
}

/** Decides for a whole training how its convolutions are computed, and keeps it in what its checkpoints hold. */
export async function decideFormulations(
  options: FormulatedTraining,
  { terms, weighting }: TrainingStage,
  { state }: TrainingProgress,
): Promise<void> {
  const { formulate } = options;
  const sizes = calibratedSizes(options);
  if (!formulate || !sizes) return;
  const found = await formulate({
    ...options,
    terms,
    sizes,
    ...(weighting ? { weighting } : {}),
  });
  if (found) state.formulations = found;
}

/**
 * Drops what a checkpoint says about blocked convolutions where this machine has none of that size, as when a training
 * goes on elsewhere; the steps are then the same but for rounding. Whether it did.
 */
export async function dropForeignBlocks(
  { engine, onWarning }: FormulatedTraining,
  { state }: TrainingProgress,
): Promise<boolean> {
  const { formulations } = state;
  if (!formulations || formulations.block === 0) return false;
  if ((await channelBlock(engine)) === formulations.block) return false;
  onWarning?.(
    'this machine does not have the kernels that the convolutions were computed with; they are computed in another way, and the training does not go on to the same bits',
  );
  delete state.formulations;
  return true;
}
