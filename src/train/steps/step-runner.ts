import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { TrainingBatch } from '../batch-source.ts';
import type { CarriedTensor } from '../carried.ts';
import type { StepOptions } from '../compile-step.ts';
import type { SwapBuffers } from '../swap-buffers.ts';

/** What a step left besides what it carries. */
export interface StepResult {
  /** `loss`, `loss/TERM`, `grad_norm` and what the weighting tells. */
  readonly values: Record<string, number>;
  /** What was observed of each sample of the batch, by name. */
  readonly rows: Record<string, Float32Array>;
}

/** Runs training steps: in one piece (`FusedSteps`), or over parts of a batch (`AccumulatingSteps`). */
export interface StepRunner {
  /** What goes from step to step; the same for every variant, and for every runner of the same step. */
  readonly carried: readonly CarriedTensor[];
  /** The names among them that a step may write over (`overwritable`); none where `overwrites` is false. */
  readonly overwritten: ReadonlySet<string>;
  /** Makes a step from what `buffers` hold, into their other side. */
  run(
    batch: TrainingBatch,
    settings: Readonly<Record<string, Tensor>>,
    buffers: SwapBuffers,
  ): Promise<StepResult>;
  release(): Promise<void>;
}

export interface RunnerOptions extends Omit<StepOptions, 'sizes'> {
  readonly engine: Engine;
  /** The sizes of the batches that come, by variant. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * How sessions of training steps are loaded: they take turns (one for each length of texts), their outputs are large, and the next
 * batch is prepared meanwhile.
 */
export const STEP_SESSION = {
  spinning: false,
  memoryPattern: false,
  largeFetches: true,
  background: true,
  sharedMemory: true,
} as const;
