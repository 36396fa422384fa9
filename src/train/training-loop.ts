import type { Engine, Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { percent } from '../percent.ts';
import type { Student } from '../students/student.ts';
import { type LearningRateSchedule, learningRate } from '../weighting/learning-rate.ts';
import { takenFeeds } from './batch-feeds.ts';
import type { Checkpoint, CheckpointFolder } from './checkpoint.ts';
import { type CompiledStep, compileStep } from './compile-step.ts';
import { type BestSoFar, type Evaluation, type ModelSelection, patienceIsOver } from './early-stopping.ts';
import type { Optimizer } from './optimizer.ts';
import { SessionsByVariant } from './sessions-by-variant.ts';
import { trainedTensors } from './step-graph.ts';
import { SwapBuffers } from './swap-buffers.ts';
import { TermProbe } from './term-probe.ts';
import { type MetricsRow, TrainingProgress } from './training-progress.ts';

/** One batch: which compiled step takes it, and what that step is fed. */
export interface TrainingBatch {
  /** A key of `variants`. */
  readonly variant: string;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Samples in it. */
  readonly rows: number;
}

/** Batches by number: a function of epoch and index alone, so that a resumed run sees the same ones. */
export interface BatchSource {
  readonly batchesPerEpoch: number;
  batch(epoch: number, index: number): TrainingBatch;
}

export interface TrainingOptions {
  readonly engine: Engine;
  readonly student: Student;
  /** The sizes that steps are compiled for, e.g. `{ '16': { batch: 128, sequence: 16 } }`. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly terms: readonly ObjectiveTerm[];
  readonly optimizer: Optimizer;
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
  const { engine, student, batches, schedule, selection, signal } = options;
  const steps = new Map<string, CompiledStep>();
  for (const [variant, sizes] of Object.entries(options.variants)) {
    steps.set(variant, compileStep({ ...options, sizes }));
  }
  const [first] = steps.values();
  const resumed = options.checkpoints?.folder.load((error) => options.onWarning?.(error.toString()));
  const buffers = new SwapBuffers(
    [...first.parameters, ...first.buffers, ...first.state],
    initialContents(student, resumed?.tensors),
  );
  const progress = new TrainingProgress(resumed?.progress);
  for (const row of progress.state.metrics) options.onMetrics?.(row);
  let best = bestFrom(resumed?.tensors);
  let step = resumed?.step ?? 0;

  const { batchesPerEpoch } = batches;
  const evaluateEvery = Math.min(options.evaluateEvery ?? batchesPerEpoch, batchesPerEpoch);
  const parameterNames = first.parameters.map(({ name }) => name);
  const modelNames = [...parameterNames, ...first.buffers.map(({ name }) => name)];
  const isOver = () =>
    step >= schedule.totalSteps || patienceIsOver(selection, progress.state.best, step, batchesPerEpoch);
  const sessions = new SessionsByVariant((variant) =>
    engine.load(writeModel(stepOf(variant).graph), { title: 'the training step', spinning: false }),
  );
  let probe: TermProbe | undefined;
  let savedAt = performance.now();
  let savedStep = step;
  const save = () => {
    const tensors = new Map<string, Tensor>(Object.entries(buffers.feeds));
    for (const [name, data] of best ?? []) tensors.set(`best/${name}`, { ...buffers.feeds[name], data });
    options.checkpoints?.folder.save({ step, tensors, progress: progress.toJson() });
    savedAt = performance.now();
    savedStep = step;
  };

  try {
    while (!isOver()) {
      if (signal?.aborted) {
        save();
        throw new LimbeckError('train.interrupted', `stopped at step ${step} of ${schedule.totalSteps}`, {
          remedy: 'Run the same command again: it goes on from here.',
        });
      }
      const rate = learningRate(schedule, step);
      const { batch, values } = await keepingWork(() => nextStep(rate));
      buffers.swap();
      step++;
      progress.addStep(batch.rows, values);

      if (step % evaluateEvery === 0 || step === schedule.totalSteps) {
        const parameters = buffers.contents(modelNames);
        probe ??= new TermProbe(options);
        const norms = await probe.gradientNorms(pick(buffers.feeds, parameterNames));
        const evaluation = await options.evaluate(parameters);
        if (progress.addEvaluation(step, evaluation, selection.metric)) best = copyOf(parameters);
        const row = progress.addRow(step, {
          epoch: step / batchesPerEpoch,
          learning_rate: rate,
          ...norms,
          'validation/accuracy': evaluation.accuracy,
          'validation/macro_f1': evaluation.macroF1,
          'validation/loss': evaluation.loss,
        });
        options.onMetrics?.(row);
        if (progress.state.metrics.length === 1) warnOfInertTerms(options, norms);
      }
      options.onProgress?.(step, schedule.totalSteps, noteOf(values.loss, progress.state.best));
      if (options.checkpoints && performance.now() - savedAt > options.checkpoints.everySeconds * 1000)
        save();
    }
    if (step > (resumed?.step ?? -1)) save();
    const { samples, metrics, seconds } = progress.state;
    return {
      parameters: best ?? copyOf(buffers.contents(modelNames)),
      best: progress.state.best as BestSoFar,
      steps: step,
      samples,
      stoppedEarly: step < schedule.totalSteps,
      seconds: options.checkpoints ? seconds : progress.seconds,
      metrics,
    };
  } finally {
    await sessions.release();
    await probe?.release();
  }

  function stepOf(variant: string): CompiledStep {
    return steps.get(variant) as CompiledStep;
  }

  async function nextStep(rate: number): Promise<{ batch: TrainingBatch; values: Record<string, number> }> {
    const batch = batches.batch(Math.floor(step / batchesPerEpoch), step % batchesPerEpoch);
    const values = await runStep(await sessions.get(batch.variant), stepOf(batch.variant), buffers, batch, {
      learning_rate: float32([rate], []),
      step: float32([step + 1], []),
    });
    checkFinite(values, step);
    return { batch, values };
  }

  /**
   * A step that fails has only written the buffers that are not read: the steps before it are saved, and going on tries
   * it again. An evaluation that fails is not saved after: going on would pass over it.
   */
  async function keepingWork<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      try {
        if (step > savedStep) save();
      } catch {
        // The first error is the one to tell; the checkpoints before it are still there.
      }
      throw error;
    }
  }
}

/** Runs one step into the buffers that are not read, and returns its metrics. */
async function runStep(
  session: Session,
  compiled: CompiledStep,
  buffers: SwapBuffers,
  batch: TrainingBatch,
  scalars: Readonly<Record<string, Tensor>>,
): Promise<Record<string, number>> {
  const wanted = Object.fromEntries(compiled.metrics.map((name) => [name, null]));
  const results = await session.run(
    { ...buffers.feeds, ...takenFeeds(session, batch.feeds), ...scalars },
    { ...buffers.fetches, ...wanted },
  );
  return Object.fromEntries(compiled.metrics.map((name) => [name, Number(results[name].data[0])]));
}

/** The best parameters in a checkpoint, and their accuracy; undefined when there was no evaluation before it. */
export function bestParameters({
  tensors,
  progress,
}: Checkpoint): { parameters: Map<string, Float32Array>; accuracy: number } | undefined {
  const parameters = bestFrom(tensors);
  const { best } = new TrainingProgress(progress).state;
  return parameters && best && { parameters, accuracy: best.evaluation.accuracy };
}

function initialContents(student: Student, saved?: ReadonlyMap<string, Tensor>): Map<string, Float32Array> {
  const source = saved ?? trainedTensors(student);
  return new Map([...source].map(([name, { data }]) => [name, data as Float32Array]));
}

function bestFrom(saved?: ReadonlyMap<string, Tensor>): Map<string, Float32Array> | undefined {
  const best = [...(saved ?? [])].filter(([name]) => name.startsWith('best/'));
  if (best.length === 0) return undefined;
  return new Map(best.map(([name, { data }]) => [name.slice('best/'.length), data as Float32Array]));
}

function copyOf(parameters: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, data]) => [name, data.slice()]));
}

function pick<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, record[name]]));
}

function checkFinite(values: Readonly<Record<string, number>>, step: number): void {
  const wrong = Object.entries(values).filter(([, value]) => !Number.isFinite(value));
  if (wrong.length === 0) return;
  throw new LimbeckError(
    'train.not-finite',
    `${wrong.map(([name, value]) => `${name} is ${value}`).join(', ')}`,
    {
      where: `training step ${step}`,
      remedy: 'Lower training.optimizer.learningRate or training.maxGradNorm. The steps before it are kept.',
    },
  );
}

/** People elsewhere trained for days with a distillation term a thousandth of the other: tell it, once, at the start. */
function warnOfInertTerms({ terms, onWarning }: TrainingOptions, gradientNorms: MetricsRow): void {
  if (terms.length < 2) return;
  const norms = terms.map(({ name }) => ({ name, norm: gradientNorms[`grad_norm/${name}`] as number }));
  const largest = Math.max(...norms.map(({ norm }) => norm));
  for (const { name, norm } of norms) {
    if (norm < INERT * largest) {
      const part = largest > 0 ? `${((100 * norm) / largest).toPrecision(2)} % of the largest` : 'zero';
      onWarning?.(
        `the loss term '${name}' is inert: its gradient is ${part}. Raise objective.${name}.weight.`,
      );
    }
  }
}

function noteOf(loss: number, best: BestSoFar | undefined): string {
  const validation = best ? `, best validation ${percent(best.evaluation.accuracy)}` : '';
  return `loss ${loss.toFixed(3)}${validation}`;
}
