import type { Split } from '../../data/split.ts';
import { accuracy } from '../../metrics/accuracy.ts';
import { classMetrics } from '../../metrics/class-metrics.ts';
import type { AnswerGroups } from '../../objectives/answer-groups.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import type { CheckpointFolder } from '../../train/checkpoint.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { trainedTensors, withParameters } from '../../train/step-graph.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { type MetricsRow, TrainingProgress } from '../../train/training-progress.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import { gradientLimit } from '../context/gradient-limit.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData, TrainingData } from '../context/task.ts';
import { parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import { choicesFor } from './tasks.ts';

/** Parameters and running statistics, by name. */
export type Parameters = ReadonlyMap<string, Float32Array>;

/** One task in the training of one method. */
export interface TaskTraining {
  readonly method: string;
  /** From 0. */
  readonly task: number;
  /** For the progress: `task 2 of 5`. */
  readonly title: string;
  /** What the student is before the task; its first parameters when absent. */
  readonly start: Parameters | undefined;
  readonly terms: readonly ObjectiveTerm[];
  /** What its steps are fed besides their batches. */
  readonly settings: Readonly<Record<string, Tensor>>;
  readonly training: TrainingData;
  /** What its evaluations look at: the task's own validation samples. */
  readonly validation: Split;
  readonly groups: AnswerGroups;
}

/** Where the checkpoints of a task are. */
export function taskCheckpoints(run: RunContext, method: string, task: number): CheckpointFolder {
  return runCheckpoints(run, 'continual', method, `task-${task + 1}`);
}

/**
 * Trains a student on one task, and returns it as the last step left it: choosing an earlier one by its accuracy on the
 * new task would prefer those that have forgotten. Goes on from its last checkpoint.
 */
export async function trainTask(
  run: RunContext,
  data: TaskData,
  student: Student,
  spec: TaskTraining,
): Promise<Parameters> {
  const { engine, recipe } = run;
  const { training } = recipe;
  const { batches, variants } = spec.training;
  const begun = spec.start ? withParameters(student, spec.start) : student;
  const evaluator = parameterEvaluator({
    engine,
    student,
    split: spec.validation,
    batchSize: training.batchSize,
    outputs: [
      {
        output: 'logits',
        metrics: classMetrics({
          classes: data.dataset.labels.length,
          among: (label) => choicesFor(spec.groups, label),
        }),
      },
    ],
  });
  const folder = taskCheckpoints(run, spec.method, spec.task);
  try {
    await trainStudent({
      engine,
      student: begun,
      variants,
      terms: spec.terms,
      controls: [{ name: 'past', feeds: () => spec.settings }],
      seed: recipe.seed,
      optimizer: createOptimizer(training.optimizer),
      schedule: {
        ...training.schedule,
        peak: training.optimizer.learningRate,
        totalSteps: batches.batchesPerEpoch,
      },
      ...gradientLimit(training),
      ...formulateFor(run, batches.batchesPerEpoch),
      batches,
      evaluateEvery: training.evaluateEvery,
      evaluate: evaluator.evaluate,
      selection: { metric: accuracy() },
      checkpoints: { folder, everySeconds: training.checkpointEvery },
      signal: run.options.signal,
      onProgress: (done, total, note) =>
        run.emit({ type: 'progress', stage: 'train', task: spec.title, done, total, unit: 'steps', note }),
      onMetrics: (row) => tellMetrics(run, spec, row),
      onWarning: (message) =>
        run.warn(`${spec.method}, ${spec.title}: ${message.replace(/ Raise objective\..*$/, '')}`),
    });
  } finally {
    await evaluator.close();
  }
  const learnt = learntParameters(run, student, spec);
  if (!learnt) throw new Error(`the training of ${spec.method}, ${spec.title}, left no checkpoint`);
  return learnt.parameters;
}

/** What a finished training of a task left; undefined where its checkpoints are gone. */
export function learntParameters(
  run: RunContext,
  student: Student,
  { method, task }: Pick<TaskTraining, 'method' | 'task'>,
): { parameters: Parameters; metrics: readonly MetricsRow[] } | undefined {
  const checkpoint = taskCheckpoints(run, method, task).load(run.warn);
  if (!checkpoint) return undefined;
  const { finished, metrics } = new TrainingProgress(checkpoint.progress).state;
  // An earlier one, where the last is damaged, is only a place to go on from.
  if (!finished) return undefined;
  const parameters = new Map<string, Float32Array>();
  for (const name of trainedTensors(student).keys()) {
    const content = checkpoint.tensors.get(name);
    if (!content) return undefined;
    parameters.set(name, content.data as Float32Array);
  }
  return { parameters, metrics };
}

/** A line of metrics.jsonl. The passes of a task are one epoch for the loop: the line counts them as a person does. */
export function tellMetrics(
  run: RunContext,
  { method, task }: Pick<TaskTraining, 'method' | 'task'>,
  row: MetricsRow,
): void {
  const passes = run.recipe.continual?.epochs ?? 1;
  const values = { method, task: task + 1, ...row, epoch: Number(row.epoch) * passes };
  run.folder.addMetrics('train', values);
  run.emit({ type: 'metrics', stage: 'train', values });
}
