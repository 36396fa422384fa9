import type { Evaluation } from '../metrics/metric.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Checkpoint } from './checkpoint-file.ts';
import type { CompiledStage } from './compiled-stage.ts';
import { isControlState } from './step-control.ts';
import { TrainingProgress } from './training-progress.ts';
import { FIRST_STAGE, type TrainingStage } from './training-stage.ts';

/** Why a checkpoint is not at a place of this training, if it is not. */
export function placeProblem(
  { step, progress }: Checkpoint,
  stages: readonly TrainingStage[],
  totalSteps: number,
): string | undefined {
  if (step > totalSteps) return `the training ends at step ${totalSteps}`;
  const { stage = FIRST_STAGE } = new TrainingProgress(progress).state;
  return stages[stage.index] ? undefined : `the training has no part ${stage.index + 1}`;
}

/**
 * Which tensor of a compiled stage a checkpoint lacks, or has in another shape. What is missing would begin as at the first
 * step, in the middle of a training: so it goes when another version of the loop wrote the checkpoint.
 */
export function tensorProblem(
  { tensors, progress }: Checkpoint,
  compiled: CompiledStage,
): string | undefined {
  const { best } = new TrainingProgress(progress).state;
  const feeds = Object.entries(compiled.buffers.feeds);
  const ofBest = feeds.filter(([name]) => best && compiled.modelNames.includes(name));
  const wanted = [...feeds, ...ofBest.map(([name, tensor]) => [`best/${name}`, tensor] as const)];
  for (const [name, { type, dims }] of wanted) {
    const found = tensors.get(name);
    if (!found) return `it has no ${name}`;
    if (found.type !== type || found.dims.join() !== dims.join())
      return `${name} is ${found.type} [${found.dims}] in it, not ${type} [${dims}]`;
  }
  return undefined;
}

/** The best parameters in a checkpoint, and their evaluation; undefined when there was no evaluation before it. */
export function bestParameters({
  tensors,
  progress,
}: Checkpoint): { parameters: Map<string, Float32Array>; evaluation: Evaluation } | undefined {
  const parameters = bestFrom(tensors);
  const { best } = new TrainingProgress(progress).state;
  return parameters && best && { parameters, evaluation: best.evaluation };
}

/** Parameters, statistics and optimizer state of a checkpoint, whatever stage trained them. */
export function carriedFrom(saved?: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...(saved ?? [])].filter(([name]) => !name.startsWith('best/') && !isControlState(name)));
}

/** The contents of tensors alone. */
export function contentsOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
}

/** The best parameters and statistics of a checkpoint, as they were when it was written. */
export function bestFrom(saved?: ReadonlyMap<string, Tensor>): Map<string, Float32Array> | undefined {
  const best = [...(saved ?? [])].filter(([name]) => name.startsWith('best/'));
  if (best.length === 0) return undefined;
  return new Map(best.map(([name, { data }]) => [name.slice('best/'.length), data as Float32Array]));
}
