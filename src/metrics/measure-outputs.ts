import { Measuring } from './measuring.ts';
import type { Answers, Evaluation, MeasuredBatch, Metric } from './metric.ts';

/** An output of a model and what it is measured by. */
export interface MeasuredOutput {
  readonly output: string;
  readonly metrics: readonly Metric[];
}

/** Measures all outputs of a model over the same batches. */
export class OutputsMeasuring {
  readonly #parts: readonly { readonly output: string; readonly measuring: Measuring }[];

  constructor(outputs: readonly MeasuredOutput[]) {
    this.#parts = outputs.map(({ output, metrics }) => ({ output, measuring: new Measuring(metrics) }));
  }

  /** Names of the outputs, as a session is asked for them. */
  get fetches(): Record<string, null> {
    return Object.fromEntries(this.#parts.map(({ output }) => [output, null]));
  }

  add(answers: Readonly<Record<string, Answers>>, batch: MeasuredBatch): void {
    for (const { output, measuring } of this.#parts) measuring.add(answers[output] as Answers, batch);
  }

  /** By name, and by `OUTPUT/NAME` where there are several outputs. */
  values(): Evaluation {
    const several = this.#parts.length > 1;
    return Object.assign(
      {},
      ...this.#parts.map(({ output, measuring }) => measuring.values(several ? `${output}/` : '')),
    );
  }
}
