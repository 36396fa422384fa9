import type { Engine, Session } from '../engine/engine.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { takenFeeds } from './batch-feeds.ts';
import type { BatchSource, LearningStudent, TrainingBatch } from './batch-source.ts';
import { compileTermProbe } from './compile-step.ts';
import { buildStepGraph, trainedTensors } from './step-graph.ts';

export interface ProbeOptions {
  readonly engine: Engine;
  readonly student: Student;
  readonly terms: readonly ObjectiveTerm[];
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly batches: BatchSource;
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
    const { engine, student, terms, variants } = this.#options;
    this.#session ??= await engine.load(
      writeModel(compileTermProbe({ student, terms, sizes: variants[variant] })),
      { title: 'the probe of the loss terms', spinning: false, memoryPattern: false },
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
async function probedBatch({ batches, student, terms, variants }: ProbeOptions): Promise<TrainingBatch> {
  // Of the student as it began: the batch is the same after an interruption.
  const beginner: LearningStudent = {
    student,
    parameters: () =>
      new Map([...trainedTensors(student)].map(([name, { data }]) => [name, data as Float32Array])),
  };
  const first = await batches.batch({ epoch: 0, index: 0 }, beginner);
  if (hasLabel(first)) return first;
  const asked = buildStepGraph(student, variants[first.variant], terms).batchInputs();
  if (!asked.some(({ name }) => name === 'labels')) return first;
  for (let index = 1; index < batches.batchesPerEpoch; index++) {
    const candidate = await batches.batch({ epoch: 0, index }, beginner);
    if (hasLabel(candidate)) return candidate;
  }
  return first;
}

function hasLabel({ feeds }: TrainingBatch): boolean {
  const labels = feeds.labels?.data as Int32Array | undefined;
  return !labels || labels.some((label) => label >= 0);
}
