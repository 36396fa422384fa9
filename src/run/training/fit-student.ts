import type { StageName } from '../../events.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import type { Student } from '../../students/student.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import type { ModelSelection } from '../../train/early-stopping.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { type TrainingResult, trainStudent } from '../../train/training-loop.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import { gradientLimit } from '../context/gradient-limit.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData, TrainingData } from '../context/task.ts';
import { validationEvaluator } from '../measuring/validation-evaluator.ts';
import type { TrainingPlan } from './planned-training.ts';

/** One training of a run. */
export interface Fitting {
  /** Its name among the run's trainings, for checkpoints; the first part is the stage. */
  readonly name: readonly [StageName, ...string[]];
  /** For progress bars: `training`. */
  readonly task: string;
  readonly student: Student;
  readonly variants: TrainingData['variants'];
  readonly terms: readonly ObjectiveTerm[];
  readonly totalSteps: number;
  /** At its highest. */
  readonly learningRate: number;
  readonly plan: TrainingPlan;
  readonly selection: ModelSelection;
  /** Whether it is only measured at its end: the last parameters are then the best. */
  readonly evaluateOnce?: boolean;
}

/**
 * Trains a student with a recipe's optimizer and schedule, and measures it on the validation split; a training that was cut off
 * goes on. Its rows of metrics are the stage's.
 */
export async function fitStudent(
  run: RunContext,
  data: TaskData,
  { name, task, student, plan, totalSteps, learningRate, selection, evaluateOnce = false, ...own }: Fitting,
): Promise<TrainingResult> {
  const { recipe, engine, folder } = run;
  const { training } = recipe;
  const [stage] = name;
  const evaluator = validationEvaluator(run, data, student);
  try {
    const result = await trainStudent({
      ...own,
      engine,
      student,
      seed: recipe.seed,
      optimizer: createOptimizer(training.optimizer),
      schedule: { ...training.schedule, peak: learningRate, totalSteps },
      ...gradientLimit(training),
      accumulate: training.accumulate,
      ...plan,
      selection: { ...selection, ...(plan.isLost && { isLost: plan.isLost }) },
      ...(evaluateOnce && { batches: asOneEpoch(plan.batches, totalSteps) }),
      ...formulateFor(run, totalSteps),
      evaluateEvery: evaluateOnce ? totalSteps : training.evaluateEvery,
      evaluate: evaluator.evaluate,
      checkpoints: {
        folder: runCheckpoints(run, ...name),
        everySeconds: training.checkpointEvery,
      },
      signal: run.options.signal,
      onProgress: (done, total, note) =>
        run.emit({
          type: 'progress',
          stage,
          task,
          done,
          total,
          unit: 'steps',
          note: plan.note ? `${note}; ${plan.note()}` : note,
        }),
      onMetrics: (values) => {
        folder.addMetrics(stage, values);
        run.emit({ type: 'metrics', stage, values });
      },
      onWarning: (message) => run.warn(message),
    });
    plan.finish?.();
    return result;
  } finally {
    await evaluator.close();
  }
}

/** The same batches, as those of one long epoch: a training is measured at the end of each. */
function asOneEpoch(batches: BatchSource, steps: number): BatchSource {
  const { batchesPerEpoch } = batches;
  return {
    batchesPerEpoch: steps,
    batch: ({ index }, student) =>
      batches.batch({ epoch: Math.floor(index / batchesPerEpoch), index: index % batchesPerEpoch }, student),
  };
}
