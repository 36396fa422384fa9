import type { Evaluation } from '../metrics/metric.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { TrainingBatch } from './batch-source.ts';

/** Where a training is before a step. */
export interface StepPlace {
  /** Steps done. */
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly learningRate: number;
  /** The name of the stage. */
  readonly stage: string;
}

/** What a control sees after a step. */
export interface StepOutcome {
  readonly place: StepPlace;
  readonly batch: TrainingBatch;
  /** What the step was fed besides its batch: the learning rate, its number, what controls gave. */
  readonly settings: Readonly<Record<string, Tensor>>;
  /** The step's metrics: `loss`, `loss/kd`, ... */
  readonly values: Readonly<Record<string, number>>;
  /** What was observed of each row: float32 [rows], by name. */
  readonly rows: Readonly<Record<string, Float32Array>>;
  /** The trained parameters, buffers and optimizer state as the step left them; not copied. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/**
 * Something that decides between steps, outside the graph: settings that change over time (a temperature), weights that
 * are trained by another graph, statistics of samples. Its state goes into checkpoints, so that a resumed training ends
 * in the same bits.
 */
export interface StepControl {
  readonly name: string;
  /** What steps are fed besides their batch; inputs that a step does not have are passed over. */
  feeds?(place: StepPlace): Readonly<Record<string, Tensor>>;
  afterStep?(outcome: StepOutcome): Promise<void> | void;
  /** After an evaluation; `norms` are the gradient norms of the terms, `grad_norm/TERM`. */
  afterEvaluation?(
    evaluation: Evaluation,
    context: { readonly place: StepPlace; readonly norms: Readonly<Record<string, number>> },
  ): void;
  /** Numbers for a row of metrics. */
  metrics?(): Readonly<Record<string, number>>;
  /** Its state, by name. */
  save?(): ReadonlyMap<string, Tensor>;
  restore?(state: ReadonlyMap<string, Tensor>): void;
  release?(): Promise<void>;
}

const PREFIX = 'control/';

/** Several controls as one. */
export class StepControls {
  readonly #controls: readonly StepControl[];

  constructor(controls: readonly StepControl[]) {
    this.#controls = controls;
  }

  feeds(place: StepPlace): Record<string, Tensor> {
    return Object.assign({}, ...this.#controls.map((control) => control.feeds?.(place) ?? {}));
  }

  async afterStep(outcome: StepOutcome): Promise<void> {
    for (const control of this.#controls) await control.afterStep?.(outcome);
  }

  afterEvaluation(...[evaluation, context]: Parameters<NonNullable<StepControl['afterEvaluation']>>): void {
    for (const control of this.#controls) control.afterEvaluation?.(evaluation, context);
  }

  metrics(): Record<string, number> {
    return Object.assign({}, ...this.#controls.map((control) => control.metrics?.() ?? {}));
  }

  /** For a checkpoint: `control/NAME/...`. */
  save(): Map<string, Tensor> {
    return new Map(
      this.#controls.flatMap((control) =>
        [...(control.save?.() ?? [])].map(
          ([name, tensor]) => [`${PREFIX}${control.name}/${name}`, tensor] as const,
        ),
      ),
    );
  }

  restore(tensors: ReadonlyMap<string, Tensor>): void {
    for (const control of this.#controls) {
      const own = `${PREFIX}${control.name}/`;
      const state = [...tensors].flatMap(([name, tensor]) =>
        name.startsWith(own) ? [[name.slice(own.length), tensor] as const] : [],
      );
      control.restore?.(new Map(state));
    }
  }

  async release(): Promise<void> {
    for (const control of this.#controls) await control.release?.();
  }
}

/** Whether a tensor of a checkpoint is a control's. */
export function isControlState(name: string): boolean {
  return name.startsWith(PREFIX);
}
