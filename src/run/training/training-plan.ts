import { weighedOptions } from '../../objectives/index.ts';
import { TEMPERATURE } from '../../objectives/kd-logits.ts';
import type { ObjectiveContext, ObjectiveTerm } from '../../objectives/objective.ts';
import { namesFor } from '../../objectives/output-names.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import type { StepControl } from '../../train/step-control.ts';
import { temperatureControl } from '../../train/temperature-control.ts';
import { weighingOnly } from '../../weighting/weighting.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import type { Lessons } from '../teaching/lessons.ts';
import type { PlainTraining, TrainingPlan } from './planned-training.ts';
import { sampleSchedule } from './sample-schedule.ts';
import { trainingStages } from './training-stages.ts';
import { weightingOf } from './weighting-of.ts';

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
  const samples = await sampleSchedule(run, data, lessons, plain);
  if (!lessons) return samples;
  const stages = trainingStages(run.recipe, stage) ?? [stage];
  const { weighting, controls } = weightingOf(run, data, { stages, variants });
  const onPolicy = await onPolicyTraining(run, data, lessons, {
    batches: samples.batches,
    steps: stage.steps,
  });
  return {
    ...samples,
    ...onPolicy,
    stages: stages.map((one) => ({ ...one, weighting })),
    controls: [
      ...samples.controls,
      ...(onPolicy?.controls ?? []),
      ...temperatureControls(run.recipe, lessons.context, stage.steps),
      ...controls,
    ],
  };
}

/** What the student's own texts change; undefined where the recipe wants none. */
async function onPolicyTraining(
  run: RunContext,
  data: TaskData,
  { judge }: Lessons,
  plain: { readonly batches: BatchSource; readonly steps: number },
): Promise<Pick<TrainingPlan, 'batches' | 'controls' | 'isLost' | 'note'> | undefined> {
  const { onPolicy } = run.recipe.training;
  if (!onPolicy) return undefined;
  // Loaded where it is used: pages do not pay for it.
  const { planOnPolicy } = await import('../writing/plan-on-policy.ts');
  return planOnPolicy(run, data, { ...plain, options: onPolicy, judge });
}

/** A plan with more terms in each of its stages, which no weighting weighs. */
export function withTerms(plan: TrainingPlan, terms: readonly ObjectiveTerm[]): TrainingPlan {
  if (!plan.stages || terms.length === 0) return plan;
  return {
    ...plan,
    stages: plan.stages.map((stage) => ({
      ...stage,
      terms: [...stage.terms, ...terms],
      ...(stage.weighting && { weighting: weighingOnly(stage.terms, stage.weighting) }),
    })),
  };
}

/** The temperatures of `kd` where they fall with the learning rate. */
export function temperatureControls(
  { objective, training }: Pick<Recipe, 'objective' | 'training'>,
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
