import { nextTurn } from '../platform/next-turn.ts';
import type { BatchPlace, BatchSource, LearningStudent, TrainingBatch } from './batch-source.ts';

/**
 * The batches of a training, the next one prepared while a step runs, where the source allows it (`BatchSource.ahead`) and
 * steps run in the background. They are the same ones: a batch is known by its number.
 */
export class NextBatches {
  readonly #source: BatchSource;
  readonly #student: LearningStudent;
  readonly #total: number;
  #ahead: { readonly number: number; readonly batch: Promise<TrainingBatch> } | undefined;

  /** @param total batches of the whole training: none beyond them is prepared */
  constructor(source: BatchSource, student: LearningStudent, total: number) {
    this.#source = source;
    this.#student = student;
    this.#total = total;
  }

  /** The batch of a step, counted from 0. Throws what the source throws, at the step that the batch is for. */
  async get(number: number): Promise<TrainingBatch> {
    const prepared = this.#ahead;
    this.#ahead = undefined;
    return prepared?.number === number
      ? prepared.batch
      : this.#source.batch(this.#placeOf(number), this.#student);
  }

  /** Prepares a batch, once this thread has nothing else to do: the step in front of it has begun by then. */
  prepare(number: number): void {
    if (!this.#source.ahead || number >= this.#total) return;
    const batch = nextTurn().then(() => this.#source.batch(this.#placeOf(number), this.#student));
    // Told where the batch is wanted; a training that ends before does not mind.
    batch.catch(() => {});
    this.#ahead = { number, batch };
  }

  #placeOf(number: number): BatchPlace {
    const { batchesPerEpoch } = this.#source;
    return { epoch: Math.floor(number / batchesPerEpoch), index: number % batchesPerEpoch };
  }
}
