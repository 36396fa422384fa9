import type { Engine, Session } from '../engine/engine.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { takenFeeds } from './batch-feeds.ts';
import type { BatchSource, TrainingBatch } from './batch-source.ts';
import { carriedSpecs } from './carried.ts';
import type { StepOptions } from './compile-step.ts';
import { type CompiledStep, compileStep } from './compile-step.ts';
import { SessionsByVariant } from './sessions-by-variant.ts';
import { SwapBuffers } from './swap-buffers.ts';
import { TermProbe } from './term-probe.ts';
import type { TrainingStage } from './training-stage.ts';

export interface StageOptions extends Pick<StepOptions, 'optimizer' | 'maxGradNorm' | 'observe' | 'seed'> {
  readonly engine: Engine;
  readonly student: Student;
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly batches: BatchSource;
}

/** What a step left besides its parameters. */
export interface StepResult {
  readonly values: Record<string, number>;
  readonly rows: Record<string, Float32Array>;
}

/** The compiled steps of one stage of a training, one for each variant, over one set of buffers. */
export class CompiledStage {
  readonly stage: TrainingStage;
  readonly buffers: SwapBuffers;
  /** Names of the student's parameters and running statistics. */
  readonly modelNames: readonly string[];
  readonly #options: StageOptions;
  readonly #steps: ReadonlyMap<string, CompiledStep>;
  readonly #sessions: SessionsByVariant;
  #probe: TermProbe | undefined;

  /** @param contents of parameters, state and whatever else there is by now; what is missing begins as it should */
  constructor(
    stage: TrainingStage,
    options: StageOptions,
    contents: ReadonlyMap<string, Float32Array> = new Map(),
  ) {
    const { engine } = options;
    this.stage = stage;
    this.#options = options;
    this.#steps = new Map(
      Object.entries(options.variants).map(([variant, sizes]) => [
        variant,
        compileStep({ ...options, terms: stage.terms, weighting: stage.weighting, sizes }),
      ]),
    );
    const [first] = this.#steps.values() as Iterable<CompiledStep>;
    this.modelNames = carriedSpecs(first.carried, 'parameter', 'statistic').map(({ name }) => name);
    this.buffers = new SwapBuffers(first.carried, contents);
    this.#sessions = new SessionsByVariant((variant) =>
      engine.load(writeModel(this.#stepOf(variant).graph), {
        title: 'the training step',
        spinning: false,
        memoryPattern: false,
        largeFetches: true,
      }),
    );
  }

  /** Runs a step into the buffers that are not read; `swap` them to go on from it. */
  async run(batch: TrainingBatch, settings: Readonly<Record<string, Tensor>>): Promise<StepResult> {
    const { buffers } = this;
    const { metrics, rowOutputs } = this.#stepOf(batch.variant);
    const session: Session = await this.#sessions.get(batch.variant);
    const wanted = Object.fromEntries([...metrics, ...rowOutputs].map((name) => [name, null]));
    const results = await session.run(
      { ...buffers.feeds, ...takenFeeds(session, { ...batch.feeds, ...settings }) },
      { ...buffers.fetches, ...wanted },
    );
    const rows = rowOutputs.map((name) => [
      name.slice('rows/'.length),
      (results[name].data as Float32Array).subarray(0, batch.rows),
    ]);
    return {
      values: Object.fromEntries(metrics.map((name) => [name, Number(results[name].data[0])])),
      rows: Object.fromEntries(rows),
    };
  }

  /** `grad_norm/TERM` for each term, on a batch that is always the same. */
  gradientNorms(settings: Readonly<Record<string, Tensor>>): Promise<Record<string, number>> {
    this.#probe ??= new TermProbe({ ...this.#options, terms: this.stage.terms });
    return this.#probe.gradientNorms({ ...this.buffers.feeds, ...settings });
  }

  async release(): Promise<void> {
    await this.#sessions.release();
    await this.#probe?.release();
  }

  #stepOf(variant: string): CompiledStep {
    return this.#steps.get(variant) as CompiledStep;
  }
}
