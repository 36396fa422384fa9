import type { OrderOf } from '../../data/batches/curriculum-order.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import type { StepOptions } from '../../train/compile-step.ts';
import type { ModelSelection } from '../../train/early-stopping.ts';
import type { StepControl } from '../../train/step-control.ts';
import type { TrainingStage } from '../../train/training-stage.ts';

/** How a student is taught, beyond one loss over plain batches: what changes from step to step, and when. */
export interface TrainingPlan {
  /** Parts of the training with losses of their own; one loss for all of it when absent. */
  readonly stages?: readonly TrainingStage[];
  /** What decides between steps: settings, trained weights, statistics of samples. */
  readonly controls: readonly StepControl[];
  /** What the controls are told of each row. */
  readonly observe?: StepOptions['observe'];
  /** The batches, in the order and composition that the recipe asks for. */
  readonly batches: BatchSource;
  /** What ends the training besides patience, by its rows of metrics. */
  readonly isLost?: ModelSelection['isLost'];
  /** A few words beside the progress bar. */
  note?(): string;
  /** Writes down what was found out, after the training. */
  finish?(): void;
}

/** What a student is trained with, before the recipe's schedules have a say. */
export interface PlainTraining {
  readonly stage: TrainingStage;
  readonly batches: BatchSource;
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The same batches in another order. */
  batchesIn(orderOf: OrderOf): BatchSource;
}
