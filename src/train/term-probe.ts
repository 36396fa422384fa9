import type { Engine, Session } from '../engine/engine.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { takenFeeds } from './batch-feeds.ts';
import type { BatchSource, LearningStudent, TrainingBatch } from './batch-source.ts';
import { compileTermProbe } from './compile-step.ts';
import { buildStepGraph, type TensorSpec, trainedTensors } from './step-graph.ts';
import { partFeeds, partSizes } from './steps/batch-parts.ts';

export interface ProbeOptions {
  readonly engine: Engine;
  readonly student: Student;
  readonly terms: readonly ObjectiveTerm[];
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly batches: BatchSource;
  /** In how many parts batches are computed: it looks at the first one. */
  readonly accumulate?: number | undefined;
}

/**
 * Measures how hard each term of the loss pulls: the norm of its weighted gradient over all parameters. It always looks
 * at the same batch, so that its numbers can be compared over time (and are the same after an interruption).
 */
export class TermProbe {
  readonly #options: ProbeOptions;
  #batch: TrainingBatch | undefined;
  #session: Session | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** `grad_norm/TERM` for each term, with these parameters and settings (what a term does not need is passed over). */
  async gradientNorms(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, number>> {
    this.#batch ??= await probedBatch(this.#options);
    const { variant, feeds } = this.#batch;
    const { engine, student, terms } = this.#options;
    this.#session ??= await engine.load(
      writeModel(compileTermProbe({ student, terms, sizes: probedSizes(this.#options, variant) })),
      { title: 'the probe of the loss terms', spinning: false, memoryPattern: false, sharedMemory: true },
    );
    const names = terms.map(({ name }) => `grad_norm/${name}`);
    const results = await this.#session.run(
      takenFeeds(this.#session, { ...tensors, ...feeds }),
      Object.fromEntries(names.map((name) => [name, null])),
    );
    return Object.fromEntries(names.map((name) => [name, Number(results[name].data[0])]));
  }

  async release(): Promise<void> {
    await this.#session?.release();
  }
}

/**
 * The first batch of an epoch with a label in it, where a term asks for labels: where they are few most batches have
 * none, and the term would look inert. The first batch where the whole epoch has none.
 */
async function probedBatch(options: ProbeOptions): Promise<TrainingBatch> {
  const { student } = options;
  const batches = options.batches.plain ?? options.batches;
  // Of the student as it began: the batch is the same after an interruption.
  const beginner: LearningStudent = {
    student,
    parameters: () =>
      new Map([...trainedTensors(student)].map(([name, { data }]) => [name, data as Float32Array])),
  };
  const asked = new Map<string, readonly TensorSpec[]>();
  let first: TrainingBatch | undefined;
  for (let index = 0; index < batches.batchesPerEpoch; index++) {
    const batch = await batches.batch({ epoch: 0, index }, beginner);
    const inputs = asked.get(batch.variant) ?? askedInputs(options, batch.variant);
    asked.set(batch.variant, inputs);
    const part = { ...batch, feeds: partFeeds(batch.feeds, inputs, 0) };
    if (hasLabel(part)) return part;
    first ??= part;
  }
  return first as TrainingBatch;
}

/** What the terms ask of a batch. */
function askedInputs(options: ProbeOptions, variant: string): readonly TensorSpec[] {
  return buildStepGraph(options.student, probedSizes(options, variant), options.terms).batchInputs();
}

function probedSizes({ variants, accumulate = 1 }: ProbeOptions, variant: string) {
  return partSizes(variants[variant] as Readonly<Record<string, number>>, accumulate);
}

/** Whether a batch has a label, or no term asks for one. */
function hasLabel({ feeds }: TrainingBatch): boolean {
  const labels = feeds.labels?.data as Int32Array | undefined;
  return !labels || labels.some((label) => label >= 0);
}
