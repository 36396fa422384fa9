import type { OrderOf } from '../data/batches/curriculum-order.ts';
import { weighedOptions } from '../objectives/index.ts';
import { TEMPERATURE } from '../objectives/kd-logits.ts';
import type { ObjectiveContext } from '../objectives/objective.ts';
import { namesFor } from '../objectives/output-names.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { BatchSource } from '../train/batch-source.ts';
import type { StepOptions } from '../train/compile-step.ts';
import type { StepControl } from '../train/step-control.ts';
import { temperatureControl } from '../train/temperature-control.ts';
import type { TrainingStage } from '../train/training-stage.ts';
import type { RunContext } from './run-context.ts';
import { sampleSchedule } from './sample-schedule.ts';
import type { Lessons } from './stages/label.ts';
import type { TaskData } from './tasks/task.ts';
import { trainingStages } from './training-stages.ts';
import { weightingOf } from './weighting-of.ts';

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

/**
 * The plan for the student that a recipe teaches; `lessons` is null for training on labels alone. The baseline is trained
 * plainly: on all samples alike, by one loss.
 */
export async function trainingPlan(
  run: RunContext,
  data: TaskData,
  lessons: Lessons | null,
  plain: PlainTraining,
): Promise<TrainingPlan> {
  const { batches, variants, stage } = plain;
  if (stage.name === 'baseline') return { controls: [], batches };
  const samples = sampleSchedule(run, data, lessons, plain);
  if (!lessons) return samples;
  const stages = trainingStages(run.recipe, stage) ?? [stage];
  const { weighting, controls } = weightingOf(run, data, { stages, variants });
  return {
    ...samples,
    stages: stages.map((one) => ({ ...one, weighting })),
    controls: [
      ...samples.controls,
      ...temperatureControls(run.recipe, lessons.context, stage.steps),
      ...controls,
    ],
  };
}

/** The temperatures of `kd` where they fall with the learning rate. */
function temperatureControls(
  { objective, training }: Recipe,
  context: ObjectiveContext,
  totalSteps: number,
): StepControl[] {
  const schedule = { ...training.schedule, peak: training.optimizer.learningRate, totalSteps };
  return weighedOptions(objective, 'kd')
    .filter(({ decay }) => decay === 'learning-rate')
    .map(({ temperature, output }) => {
      // `auto` has become a number before a plan is made.
      const start = temperature === 'auto' ? 1 : temperature;
      return temperatureControl(start, schedule, namesFor('kd', output, context).of(TEMPERATURE));
    });
}
