import type { Engine } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { formatMetric } from '../metrics/format-metric.ts';
import type { Evaluation } from '../metrics/metric.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import { type LearningRateSchedule, learningRate } from '../weighting/learning-rate.ts';
import type { StepWeighting } from '../weighting/weighting.ts';
import type { BatchSource, TrainingBatch } from './batch-source.ts';
import type { CheckpointFolder } from './checkpoint.ts';
import type { StepOptions } from './compile-step.ts';
import { CompiledStage } from './compiled-stage.ts';
import { type BestSoFar, type ModelSelection, patienceIsOver } from './early-stopping.ts';
import { NextBatches } from './next-batches.ts';
import type { Optimizer } from './optimizer.ts';
import { bestFrom, carriedFrom, contentsOf, placeProblem, tensorProblem } from './resume.ts';
import { RunningMean } from './running-mean.ts';
import { laggingStatistics } from './running-statistics.ts';
import { type StepControl, StepControls, type StepPlace } from './step-control.ts';
import { decideFormulations, dropForeignBlocks, type FormulatedTraining } from './training-formulations.ts';
import { type MetricsRow, TrainingProgress } from './training-progress.ts';
import { FIRST_STAGE, stageAfter, type TrainingStage } from './training-stage.ts';

export interface TrainingOptions {
  readonly engine: Engine;
  readonly student: Student;
  /** The sizes that steps are compiled for, e.g. `{ '16': { batch: 128, sequence: 16 } }`. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The loss of the whole training, where it has no stages. */
  readonly terms: readonly ObjectiveTerm[];
  readonly weighting?: StepWeighting;
  /** Parts of the training with losses of their own, one after another. */
  readonly stages?: readonly TrainingStage[];
  /** What decides between steps. */
  readonly controls?: readonly StepControl[];
  /** What controls are told of each row (see `StepOptions.observe`). */
  readonly observe?: StepOptions['observe'];
  /** Where the first contents of auxiliary parameters come from. */
  readonly seed?: number;
  readonly optimizer: Optimizer;
  /** Whether steps may write over what they read (see `StageOptions`); those of large students do when absent. */
  readonly overwrites?: boolean;
  /** In how many equal parts each batch is computed, one after another, before an update; 1 when absent. */
  readonly accumulate?: number | undefined;
  /** How the convolutions of a step are computed on this machine; asked once, a training that goes on keeps the answer. */
  readonly formulate?: FormulatedTraining['formulate'];
  readonly schedule: LearningRateSchedule;
  readonly maxGradNorm?: number;
  readonly batches: BatchSource;
  /** Steps between evaluations, an epoch at most. */
  readonly evaluateEvery?: number;
  /** Measures parameters, with the running statistics among them, on the validation split. */
  evaluate(parameters: ReadonlyMap<string, Float32Array>): Promise<Evaluation>;
  readonly selection: ModelSelection;
  readonly checkpoints?: { readonly folder: CheckpointFolder; readonly everySeconds: number };
  onProgress?(done: number, total: number, note: string): void;
  onMetrics?(row: MetricsRow): void;
  onWarning?(message: string): void;
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  /** The parameters of the best evaluation, and its running statistics. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly best: BestSoFar;
  readonly steps: number;
  readonly samples: number;
  readonly stoppedEarly: boolean;
  /** Wall time, with that of the runs before an interruption. */
  readonly seconds: number;
  readonly metrics: readonly MetricsRow[];
}

/** A term is called inert when its gradient is smaller than this part of the largest one. */
const INERT = 0.001;

/**
 * Trains a student: runs the compiled step batch after batch, evaluates, keeps the best parameters, writes
 * checkpoints. Called again on the same checkpoint folder it goes on, and ends in the same bits.
 *
 * Throws LimbeckError `train.not-finite` when the loss is no number, `train.interrupted` when the signal aborts it,
 * and what a step or its batch throws; each after a last checkpoint.
 */
export async function trainStudent(options: TrainingOptions): Promise<TrainingResult> {
  const { batches, schedule, selection, signal } = options;
  const { totalSteps } = schedule;
  const stages = options.stages ?? [
    { name: 'training', terms: options.terms, weighting: options.weighting, steps: totalSteps },
  ];
  const controls = new StepControls(options.controls ?? []);
  const compile = (at: TrainingProgress, contents?: ReadonlyMap<string, Float32Array>) =>
    new CompiledStage(stageAt(stages, at), { ...options, formulations: at.state.formulations }, contents);
  let fitting: CompiledStage | undefined;
  const resumed = options.checkpoints?.folder.load(
    (message) => options.onWarning?.(message),
    (checkpoint) => {
      const place = placeProblem(checkpoint, stages, totalSteps);
      if (place !== undefined) return place;
      fitting = compile(new TrainingProgress(checkpoint.progress));
      return tensorProblem(checkpoint, fitting);
    },
  );
  if (resumed) controls.restore(resumed.tensors);
  const lagging = laggingStatistics(options.student.graph, totalSteps);
  if (lagging) options.onWarning?.(lagging);
  const progress = new TrainingProgress(resumed?.progress);
  for (const row of progress.state.metrics) options.onMetrics?.(row);
  /** Tensors that the present stage does not train, for those that come. */
  let carried = carriedFrom(resumed?.tensors);
  if (!resumed) await decideFormulations(options, stageAt(stages, progress), progress);
  else if (await dropForeignBlocks(options, progress)) fitting = undefined;
  let current = (resumed && fitting) ?? compile(progress);
  current.buffers.fill(contentsOf(carried));
  let best = bestFrom(resumed?.tensors);
  let step = resumed?.step ?? 0;

  const { batchesPerEpoch } = batches;
  const evaluateEvery = Math.min(options.evaluateEvery ?? batchesPerEpoch, batchesPerEpoch);
  const isOver = () => {
    const { best, metrics, stage = FIRST_STAGE } = progress.state;
    if (step >= totalSteps || selection.isLost?.(metrics)) return true;
    // A stage that no longer improves makes room for the next one; only the last one ends the training.
    if (stage.index < stages.length - 1) return false;
    return patienceIsOver(selection, best, step, batchesPerEpoch, stage.began);
  };
  const placeNow = (): StepPlace => ({
    step,
    totalSteps,
    epoch: Math.floor(step / batchesPerEpoch),
    learningRate: learningRate(schedule, step),
    stage: current.stage.name,
  });
  const nextBatches = new NextBatches(
    batches,
    { student: options.student, parameters: () => current.buffers.contents(current.modelNames) },
    totalSteps,
  );
  /** Whether what the buffers hold is not to be saved: a step that failed has written over it. */
  let isSpoilt = false;
  const shownLoss = new RunningMean();
  let savedAt = performance.now();
  let savedStep = step;
  const save = () => {
    const tensors = new Map<string, Tensor>([
      ...carried,
      ...Object.entries(current.buffers.feeds),
      ...controls.save(),
    ]);
    for (const [name, data] of best ?? [])
      tensors.set(`best/${name}`, { ...current.buffers.feeds[name], data });
    options.checkpoints?.folder.save({ step, tensors, progress: progress.toJson() });
    savedAt = performance.now();
    savedStep = step;
  };

  try {
    while (!isOver()) {
      if (signal?.aborted) {
        save();
        throw new LimbeckError('train.interrupted', `stopped at step ${step} of ${totalSteps}`, {
          remedy: 'Run the same command again: it goes on from here.',
        });
      }
      progress.state.finished = false;
      const place = placeNow();
      const { batch, values } = await keepingWork(() => nextStep(place));
      progress.addStep(batch.rows, values);

      let evaluation: Evaluation | undefined;
      if (step % evaluateEvery === 0 || step === totalSteps) {
        const parameters = current.buffers.contents(current.modelNames);
        const norms = await current.gradientNorms(controls.feeds(place));
        evaluation = await options.evaluate(parameters);
        if (progress.addEvaluation(step, evaluation, selection.metric)) best = copyOf(parameters);
        controls.afterEvaluation(evaluation, { place, norms });
        const row = progress.addRow(step, {
          epoch: step / batchesPerEpoch,
          ...(stages.length > 1 ? { training_stage: current.stage.name } : {}),
          learning_rate: place.learningRate,
          ...norms,
          ...controls.metrics(),
          ...validationRow(evaluation),
        });
        options.onMetrics?.(row);
        if (isFirstOfItsStage(row, progress)) warnOfInertTerms(current.stage, norms, options.onWarning);
      }
      await followStage(evaluation);
      options.onProgress?.(
        step,
        totalSteps,
        noteOf(shownLoss.add(values.loss), selection, progress.state.best),
      );
      if (options.checkpoints && performance.now() - savedAt > options.checkpoints.everySeconds * 1000)
        save();
    }
    if (step > (resumed?.step ?? -1) || !progress.state.finished) {
      progress.state.finished = true;
      save();
    }
    const { samples, metrics, seconds } = progress.state;
    return {
      parameters: best ?? copyOf(current.buffers.contents(current.modelNames)),
      best: progress.state.best as BestSoFar,
      steps: step,
      samples,
      stoppedEarly: step < totalSteps,
      seconds: options.checkpoints ? seconds : progress.seconds,
      metrics,
    };
  } finally {
    await current.release();
    await controls.release();
  }

  async function nextStep(
    place: StepPlace,
  ): Promise<{ batch: TrainingBatch; values: Record<string, number> }> {
    const batch = await nextBatches.get(step);
    const settings = {
      ...controls.feeds(place),
      learning_rate: float32([place.learningRate], []),
      step: float32([step + 1], []),
    };
    isSpoilt = current.buffers.overwrites;
    const running = current.run(batch, settings);
    nextBatches.prepare(step + 1);
    const { values, rows } = await running;
    checkFinite(values, step, isSpoilt ? savedStep : step);
    isSpoilt = false;
    current.buffers.swap();
    step++;
    await controls.afterStep({ place, batch, settings, values, rows, tensors: current.buffers.feeds });
    return { batch, values };
  }

  /** Goes over to the next stage where the present one is over: parameters and optimizer state go along. */
  async function followStage(evaluation: Evaluation | undefined): Promise<void> {
    const before = progress.state.stage ?? FIRST_STAGE;
    const after = stageAfter(before, stages, { step, evaluation, metric: selection.metric });
    progress.state.stage = after;
    if (after.index === before.index) return;
    carried = new Map([...carried, ...Object.entries(current.buffers.feeds)]);
    await current.release();
    current = compile(progress, contentsOf(carried));
  }

  /**
   * A step that fails has only written the buffers that are not read: the steps before it are saved, and going on tries
   * it again; of a large student, whose steps write over what they read, from the last checkpoint. An evaluation that fails
   * is not saved after: going on would pass over it.
   */
  async function keepingWork<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      try {
        if (step > savedStep && !isSpoilt) save();
      } catch {
        // The first error is the one to tell; the checkpoints before it are still there.
      }
      throw error;
    }
  }
}

function stageAt(stages: readonly TrainingStage[], { state }: TrainingProgress): TrainingStage {
  return stages[(state.stage ?? FIRST_STAGE).index] as TrainingStage;
}

function isFirstOfItsStage(row: MetricsRow, { state }: TrainingProgress): boolean {
  return state.metrics.find(({ training_stage }) => training_stage === row.training_stage) === row;
}

function copyOf(parameters: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, data]) => [name, data.slice()]));
}

function checkFinite(values: Readonly<Record<string, number>>, step: number, kept: number): void {
  const wrong = Object.entries(values).filter(([, value]) => !Number.isFinite(value));
  if (wrong.length === 0) return;
  throw new LimbeckError(
    'train.not-finite',
    `${wrong.map(([name, value]) => `${name} is ${value}`).join(', ')}`,
    {
      where: `training step ${step}`,
      remedy: `Lower training.optimizer.learningRate or training.maxGradNorm, for a run in another folder (--out).${kept > 0 ? ` The steps before ${kept === step ? 'it' : `step ${kept}`} are kept.` : ''}`,
    },
  );
}

/** People elsewhere trained for days with a distillation term a thousandth of the other: tell it, once, at the start. */
function warnOfInertTerms(
  { terms }: TrainingStage,
  gradientNorms: MetricsRow,
  onWarning: TrainingOptions['onWarning'],
): void {
  if (terms.length < 2) return;
  const norms = terms.map(({ name }) => ({ name, norm: gradientNorms[`grad_norm/${name}`] as number }));
  const largest = Math.max(...norms.map(({ norm }) => norm));
  for (const { name, norm } of norms) {
    if (norm < INERT * largest) {
      const part = largest > 0 ? `${((100 * norm) / largest).toPrecision(2)} % of the largest` : 'zero';
      onWarning?.(
        `the loss term '${name}' is inert: its gradient is ${part}. Raise ${name.includes('/') ? 'its weight under objective' : `objective.${name}.weight`}.`,
      );
    }
  }
}

/** An evaluation as a row of metrics has it: `validation/macro_f1` for `macroF1`. */
function validationRow(evaluation: Evaluation): MetricsRow {
  const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return Object.fromEntries(
    Object.entries(evaluation).map(([name, value]) => [`validation/${snake(name)}`, value]),
  );
}

function noteOf(loss: number, { metric }: ModelSelection, best: BestSoFar | undefined): string {
  if (!best) return `loss ${loss.toFixed(3)}`;
  return `loss ${loss.toFixed(3)}, best validation ${formatMetric(metric, best.evaluation)}`;
}
