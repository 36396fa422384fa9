import { SEQUENCE } from '../../data/columns.ts';
import { accuracy } from '../../metrics/accuracy.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import { readdirSync, statSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import type { Student } from '../../students/student.ts';
import type { TrainingBatch } from '../../train/batch-source.ts';
import { CheckpointFolder } from '../../train/checkpoint.ts';
import type { StepOptions } from '../../train/compile-step.ts';
import type { Optimizer } from '../../train/optimizer.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import type { PlanningContext } from './planning-context.ts';
import { median } from './timing.ts';

/** One compiled step that is to be timed. */
export interface MeasuredVariant {
  readonly name: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** Some batch for it; called for every step. */
  batch(): TrainingBatch;
}

export interface TrainingCost {
  /** Seconds of a step by variant: its batch read, fed and trained on. */
  readonly step: ReadonlyMap<string, number>;
  /** Seconds to compile and load one variant's step. */
  readonly prepareSeconds: number;
  /** Seconds of the gradient norms that an evaluation takes: once to compile and load (each variant), and each time. */
  readonly probe: { readonly prepareSeconds: number; readonly seconds: number };
  /**
   * The lengths of the steps that were compiled and held at once, and how much memory each one beside the longest took for each token of
   * its length: what it does not share.
   */
  readonly held: { readonly lengths: readonly number[]; readonly bytesPerToken: number };
  /** A checkpoint, with the best parameters in it. */
  readonly checkpoint: { readonly seconds: number; readonly bytes: number };
}

const STEPS_EACH = 5;

/**
 * Trains for a few steps of each compiled shape, with the loop that a run trains with, and times them. The first step
 * of a shape is not counted as one: it is where the step is loaded. The longest shape comes first, so that what the others add to the
 * memory is what they do not share with it, and once more at the end, for the probe of its gradients.
 */
export async function measureTraining(
  context: PlanningContext,
  options: {
    readonly student: Student;
    readonly variants: readonly MeasuredVariant[];
    readonly terms: readonly ObjectiveTerm[];
    readonly optimizer: Optimizer;
    readonly maxGradNorm?: number;
    readonly accumulate?: number | undefined;
    /** Of the training that is planned: a long one computes its convolutions as was measured here, and so do these. */
    readonly totalSteps: number;
    /** Where a checkpoint may be written. */
    readonly name: string;
  },
): Promise<TrainingCost> {
  const { student, terms, optimizer, maxGradNorm, accumulate, totalSteps } = options;
  const variants = [...options.variants].sort((a, b) => lengthOfVariant(b) - lengthOfVariant(a));
  const { engine, memory, scratch } = context;
  // One variant alone is the last one as well.
  const again = variants.length > 1 ? 1 : 0;
  const measuredSteps = variants.length * STEPS_EACH + again;

  const folder = join(scratch, 'checkpoints', options.name);
  const ends: number[] = [];
  const memoryAt: number[] = [];
  let evaluated = 0;
  let started = performance.now();
  const { formulate } = formulateFor(context, totalSteps);
  // The run finds what is measured here.
  const untimed = async (step: StepOptions) => {
    const began = performance.now();
    const found = await formulate?.(step);
    started += performance.now() - began;
    return found;
  };
  await trainStudent({
    engine,
    student,
    terms,
    ...(maxGradNorm === undefined ? {} : { maxGradNorm }),
    accumulate,
    optimizer,
    ...(formulate && { formulate: untimed }),
    schedule: { peak: 1e-6, totalSteps: measuredSteps, warmup: 0, decay: 'constant' },
    variants: Object.fromEntries(variants.map(({ name, sizes }) => [name, sizes])),
    batches: {
      batchesPerEpoch: measuredSteps,
      batch: ({ index }) => {
        context.checkInterrupted();
        // A step begins where its batch is asked for.
        return variants[Math.floor(index / STEPS_EACH) % variants.length]!.batch();
      },
    },
    evaluate: () => {
      evaluated = performance.now();
      return Promise.resolve(NO_EVALUATION);
    },
    selection: { metric: accuracy() },
    checkpoints: {
      folder: new CheckpointFolder(folder, { identity: {}, circumstances: {} }),
      everySeconds: Number.POSITIVE_INFINITY,
    },
    signal: context.options.signal,
    onProgress: () => {
      ends.push(performance.now());
      memoryAt.push(memory.observe());
    },
  });
  const finished = performance.now();

  const seconds = (end: number) => (ends[end]! - (ends[end - 1] ?? started)) / 1000;
  const step = new Map<string, number>();
  let prepare = 0;
  variants.forEach(({ name }, variant) => {
    const first = variant * STEPS_EACH;
    // The very last step is followed by an evaluation.
    const last = Math.min(first + STEPS_EACH - 1, measuredSteps - 2);
    const own = median(Array.from({ length: last - first }, (_, i) => seconds(first + 1 + i)));
    step.set(name, own);
    prepare += Math.max(0, seconds(first) - own);
  });
  const lastStep = step.get(variants[0]!.name)!;
  const probe = Math.max(0, (evaluated - ends[measuredSteps - 2]!) / 1000 - lastStep);
  return {
    step,
    prepareSeconds: prepare / variants.length,
    // One probe was loaded and run once: a run of it costs about a step without its update, the rest is loading.
    probe: { prepareSeconds: Math.max(0, probe - lastStep), seconds: Math.min(probe, lastStep) },
    held: heldBy(variants.map(lengthOfVariant), memoryAt.slice(0, measuredSteps - again)),
    checkpoint: { seconds: (finished - ends[measuredSteps - 1]!) / 1000, bytes: largestFile(folder) },
  };
}

const NO_EVALUATION: Evaluation = { accuracy: 0, macroF1: 0, loss: 0 };

/** Samples that have no length are of one. */
function lengthOfVariant({ sizes }: MeasuredVariant): number {
  return sizes[SEQUENCE] ?? 1;
}

/**
 * From the end of the first (and longest) length's steps to the end of the last one's: what came before is not the steps' own. What a
 * step holds grows with its length; of steps whose runs share their memory that is little more than their graphs.
 */
export function heldBy(lengths: readonly number[], memoryAt: readonly number[]): TrainingCost['held'] {
  if (lengths.length < 2) return { lengths, bytesPerToken: 0 };
  const growth = memoryAt.at(-1)! - memoryAt[STEPS_EACH - 1]!;
  const tokens = lengths.slice(1).reduce((sum, length) => sum + length, 0);
  return { lengths, bytesPerToken: Math.max(0, growth) / tokens };
}

function largestFile(folder: string): number {
  return Math.max(0, ...readdirSync(folder).map((name) => statSync(join(folder, name)).size));
}
