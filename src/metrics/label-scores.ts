import { KeptRows } from './kept-rows.ts';
import type { Answers, MeasuredBatch } from './metric.ts';
import { type OutputOptions, outputRows } from './output-rows.ts';

/** What metrics over samples with several classes are made for: logits [rows, classes] against 0 and 1 (below 0: unknown). */
export interface LabelScoresOptions extends OutputOptions {
  readonly classes: number;
}

/** The logits and the truth of samples that may have several classes; below 0 where nobody knows of a class. */
export class LabelScores {
  readonly classes: number;
  readonly #rows: KeptRows;

  constructor(classes: number, capacity?: number) {
    this.classes = classes;
    this.#rows = new KeptRows(2 * classes, capacity);
  }

  get samples(): number {
    return this.#rows.length;
  }

  add(answers: Answers, batch: MeasuredBatch, options: OutputOptions): void {
    for (const { answer, truth } of outputRows(answers, batch, options))
      if (isKnown(truth)) this.#rows.add(answer, truth);
  }

  /** One class's scores and truth, by sample. */
  ofClass(k: number): { readonly scores: Float64Array; readonly truth: Float64Array } {
    return { scores: this.#rows.column(k), truth: this.#rows.column(this.classes + k) };
  }

  /** All classes' scores and truth, class after class. */
  together(): { readonly scores: Float64Array; readonly truth: Float64Array } {
    const scores = new Float64Array(this.samples * this.classes);
    const truth = new Float64Array(scores.length);
    for (let k = 0; k < this.classes; k++) {
      const own = this.ofClass(k);
      scores.set(own.scores, k * this.samples);
      truth.set(own.truth, k * this.samples);
    }
    return { scores, truth };
  }

  /** The scores and the truth of one sample. */
  ofSample(i: number): { readonly scores: Float64Array; readonly truth: Float64Array } {
    const row = this.#rows.row(i);
    return { scores: row.subarray(0, this.classes), truth: row.subarray(this.classes) };
  }
}

/** Whether anything is known of a sample's classes. */
function isKnown(truth: ArrayLike<number>): boolean {
  for (let k = 0; k < truth.length; k++) if ((truth[k] as number) >= 0) return true;
  return false;
}
