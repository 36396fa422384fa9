import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import type { BatchSource, TrainingBatch } from './batch-source.ts';
import { carriedSpecs } from './carried.ts';
import type { StepOptions } from './compile-step.ts';
import { isLarge } from './overwriting.ts';
import { AccumulatingSteps } from './steps/accumulating-steps.ts';
import { FusedSteps } from './steps/fused-steps.ts';
import type { StepResult, StepRunner } from './steps/step-runner.ts';
import { SwapBuffers } from './swap-buffers.ts';
import { TermProbe } from './term-probe.ts';
import type { TrainingStage } from './training-stage.ts';

export interface StageOptions
  extends Pick<StepOptions, 'optimizer' | 'maxGradNorm' | 'observe' | 'seed' | 'formulations'> {
  readonly engine: Engine;
  readonly student: Student;
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly batches: BatchSource;
  /** In how many equal parts each batch is computed, one after another, before an update; 1 when absent. */
  readonly accumulate?: number | undefined;
  /** Whether steps may write over what they read, so that it is in memory once; those of large students do when absent. */
  readonly overwrites?: boolean | undefined;
}

/** The steps of one stage of a training, of all variants, over one set of buffers. */
export class CompiledStage {
  readonly stage: TrainingStage;
  readonly buffers: SwapBuffers;
  /** Names of the student's parameters and running statistics. */
  readonly modelNames: readonly string[];
  readonly #options: StageOptions;
  readonly #runner: StepRunner;
  #probe: TermProbe | undefined;

  /** @param contents of parameters, state and whatever else there is by now; what is missing begins as it should */
  constructor(
    stage: TrainingStage,
    options: StageOptions,
    contents: ReadonlyMap<string, Float32Array> = new Map(),
  ) {
    const { accumulate = 1, overwrites = isLarge(options.student) } = options;
    this.stage = stage;
    this.#options = options;
    const step = { ...options, terms: stage.terms, weighting: stage.weighting, overwrites };
    this.#runner = accumulate > 1 ? new AccumulatingSteps(step, accumulate) : new FusedSteps(step);
    this.modelNames = carriedSpecs(this.#runner.carried, 'parameter', 'statistic').map(({ name }) => name);
    this.buffers = new SwapBuffers(this.#runner.carried, contents, this.#runner.overwritten);
  }

  /** Runs a step into the buffers that are not read, or over those that are; `swap` them to go on from it. */
  run(batch: TrainingBatch, settings: Readonly<Record<string, Tensor>>): Promise<StepResult> {
    return this.#runner.run(batch, settings, this.buffers);
  }

  /** `grad_norm/TERM` for each term, on a batch that is always the same. */
  gradientNorms(settings: Readonly<Record<string, Tensor>>): Promise<Record<string, number>> {
    this.#probe ??= new TermProbe({ ...this.#options, terms: this.stage.terms });
    return this.#probe.gradientNorms({ ...this.buffers.feeds, ...settings });
  }

  async release(): Promise<void> {
    await this.#runner.release();
    await this.#probe?.release();
  }
}
