import type { Engine, Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { type LearningRateSchedule, learningRate } from '../weighting/learning-rate.ts';
import type { Checkpoint, CheckpointFolder } from './checkpoint.ts';
import { type CompiledStep, compileStep, compileTermProbe } from './compile-step.ts';
import {
  afterEvaluation,
  type BestSoFar,
  type EarlyStoppingOptions,
  type Evaluation,
} from './early-stopping.ts';
import type { Optimizer } from './optimizer.ts';
import { parameterTensors } from './step-graph.ts';
import { SwapBuffers } from './swap-buffers.ts';

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

/** A line of metrics: numbers by name. */
export type MetricsRow = Record<string, number | string>;

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
  /** Steps between evaluations; an epoch when absent. */
  readonly evaluateEvery?: number;
  /** Measures parameters on the validation split. */
  evaluate(parameters: ReadonlyMap<string, Float32Array>): Promise<Evaluation>;
  /** The metric that chooses the best parameters, and the patience; without patience all steps are done. */
  readonly selection: Pick<EarlyStoppingOptions, 'metric'> & Partial<EarlyStoppingOptions>;
  readonly checkpoints?: { readonly folder: CheckpointFolder; readonly everySeconds: number };
  onProgress?(done: number, total: number, note: string): void;
  onMetrics?(row: MetricsRow): void;
  onWarning?(message: string): void;
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  /** The parameters of the best evaluation. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly best: BestSoFar;
  readonly steps: number;
  readonly samples: number;
  readonly stoppedEarly: boolean;
  /** Wall time, with that of the runs before an interruption. */
  readonly seconds: number;
  readonly metrics: readonly MetricsRow[];
}

interface Progress {
  best?: BestSoFar;
  samples: number;
  seconds: number;
  metrics: MetricsRow[];
}

/** A term is called inert when its gradient is smaller than this part of the largest one. */
const INERT = 0.001;

/**
 * Trains a student: runs the compiled step batch after batch, evaluates, keeps the best parameters, writes
 * checkpoints. Called again on the same checkpoint folder it goes on, and ends in the same bits.
 *
 * Throws LimbeckError `train.not-finite` when the loss is no number, `train.interrupted` when the signal aborts it
 * (after a last checkpoint).
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
    [...first.parameters, ...first.state],
    initialContents(student, resumed?.tensors),
  );
  const progress: Progress = resumed ? JSON.parse(resumed.progress) : { samples: 0, seconds: 0, metrics: [] };
  let bestSoFar = bestFrom(resumed?.tensors);
  for (const row of progress.metrics) options.onMetrics?.(row);

  const sessions = new Map<string, Session>();
  const probes = new Map<string, Session>();
  const parameterNames = first.parameters.map(({ name }) => name);
  const started = performance.now() - progress.seconds * 1000;
  const elapsed = () => (performance.now() - started) / 1000;
  let savedAt = performance.now();
  let step = resumed?.step ?? 0;

  const save = () => {
    progress.seconds = elapsed();
    const tensors = new Map<string, Tensor>(Object.entries(buffers.feeds));
    for (const [name, data] of bestSoFar ?? []) tensors.set(`best/${name}`, { ...buffers.feeds[name], data });
    options.checkpoints?.folder.save({ step, tensors, progress: JSON.stringify(progress) });
    savedAt = performance.now();
  };
  const patienceIsOver = () =>
    selection.patience !== undefined && (progress.best?.since ?? 0) >= selection.patience;

  try {
    let stoppedEarly = patienceIsOver();
    while (step < schedule.totalSteps && !stoppedEarly) {
      if (signal?.aborted) {
        save();
        throw new LimbeckError('train.interrupted', `stopped at step ${step} of ${schedule.totalSteps}`, {
          remedy: 'Run the same command again: it goes on from here.',
        });
      }
      const batch = batches.batch(Math.floor(step / batches.batchesPerEpoch), step % batches.batchesPerEpoch);
      const compiled = steps.get(batch.variant) as CompiledStep;
      const session = await loaded(sessions, batch.variant, () =>
        engine.load(writeModel(compiled.graph), { title: 'the training step' }),
      );
      const rate = learningRate(schedule, step);
      const scalars = { learning_rate: float32([rate], []), step: float32([step + 1], []) };
      const wanted = Object.fromEntries(compiled.metrics.map((name) => [name, null]));
      const results = await session.run(
        { ...buffers.feeds, ...batch.feeds, ...scalars },
        { ...buffers.fetches, ...wanted },
      );
      const values = Object.fromEntries(
        compiled.metrics.map((name) => [name, Number(results[name].data[0])]),
      );
      checkFinite(values, step);
      buffers.swap();
      step++;
      progress.samples += batch.rows;

      if (step % (options.evaluateEvery ?? batches.batchesPerEpoch) === 0 || step === schedule.totalSteps) {
        const probe = await loaded(probes, batch.variant, () =>
          engine.load(writeModel(compileTermProbe({ ...options, sizes: options.variants[batch.variant] }))),
        );
        const parameters = buffers.contents(parameterNames);
        const sizes = await probe.run({ ...pick(buffers.feeds, parameterNames), ...batch.feeds });
        const evaluation = await options.evaluate(parameters);
        const { best, improved } = afterEvaluation(progress.best, step, evaluation, selection.metric);
        progress.best = best;
        if (improved) bestSoFar = copyOf(parameters);
        const row: MetricsRow = {
          step,
          epoch: step / batches.batchesPerEpoch,
          seconds: elapsed(),
          learning_rate: rate,
          ...values,
          ...gradientNorms(sizes),
          'validation/accuracy': evaluation.accuracy,
          'validation/macro_f1': evaluation.macroF1,
          'validation/loss': evaluation.loss,
        };
        progress.metrics.push(row);
        options.onMetrics?.(row);
        warnOfInertTerms(options, row, progress.metrics.length);
        stoppedEarly = patienceIsOver();
      }
      options.onProgress?.(step, schedule.totalSteps, noteOf(values.loss, progress.best));
      if (options.checkpoints && performance.now() - savedAt > options.checkpoints.everySeconds * 1000)
        save();
    }
    save();
    return {
      parameters: bestSoFar ?? copyOf(buffers.contents(parameterNames)),
      best: progress.best as BestSoFar,
      steps: step,
      samples: progress.samples,
      stoppedEarly,
      seconds: progress.seconds,
      metrics: progress.metrics,
    };
  } finally {
    for (const session of [...sessions.values(), ...probes.values()]) await session.release();
  }
}

/** The best parameters in a checkpoint, and their accuracy; undefined when there was no evaluation before it. */
export function bestParameters({
  tensors,
  progress,
}: Checkpoint): { parameters: Map<string, Float32Array>; accuracy: number } | undefined {
  const parameters = bestFrom(tensors);
  const { best } = JSON.parse(progress) as Progress;
  return parameters && best && { parameters, accuracy: best.evaluation.accuracy };
}

function initialContents(student: Student, saved?: ReadonlyMap<string, Tensor>): Map<string, Float32Array> {
  const source = saved ?? parameterTensors(student);
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

/** Of what the probe measured: its losses are those after the step, so the step's own are kept. */
function gradientNorms(probe: Readonly<Record<string, Tensor>>): MetricsRow {
  const norms = Object.entries(probe).filter(([name]) => name.startsWith('grad_norm/'));
  return Object.fromEntries(norms.map(([name, { data }]) => [name, Number(data[0])]));
}

function pick<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, record[name]]));
}

/** Sessions are made when their first batch comes: a bucket that stays empty costs nothing. */
async function loaded(
  sessions: Map<string, Session>,
  key: string,
  load: () => Promise<Session>,
): Promise<Session> {
  let session = sessions.get(key);
  if (!session) {
    session = await load();
    sessions.set(key, session);
  }
  return session;
}

function checkFinite(values: Readonly<Record<string, number>>, step: number): void {
  const wrong = Object.entries(values).filter(([, value]) => !Number.isFinite(value));
  if (wrong.length === 0) return;
  throw new LimbeckError(
    'train.not-finite',
    `${wrong.map(([name, value]) => `${name} is ${value}`).join(', ')}`,
    {
      where: `training step ${step}`,
      remedy: 'Lower training.optimizer.learningRate or training.maxGradNorm. The last checkpoint is kept.',
    },
  );
}

/** People elsewhere trained for days with a distillation term a thousandth of the other: tell it, once, at the start. */
function warnOfInertTerms({ terms, onWarning }: TrainingOptions, row: MetricsRow, evaluations: number): void {
  if (evaluations !== 1 || terms.length < 2) return;
  const norms = terms.map((term) => ({ name: term.name, norm: row[`grad_norm/${term.name}`] as number }));
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
  const validation = best ? `, best validation ${(100 * best.evaluation.accuracy).toFixed(1)} %` : '';
  return `loss ${loss.toFixed(3)}${validation}`;
}
