import { Measuring } from './measuring.ts';
import type { Answers, Evaluation, MeasuredBatch, Metric } from './metric.ts';

/** An output of a model and what it is measured by. */
export interface MeasuredOutput {
  readonly output: string;
  readonly metrics: readonly Metric[];
  /** What the metrics are made of, where that is not the answers themselves. */
  reduce?(answers: Answers, batch: MeasuredBatch): Answers;
}

/** What an output's metrics are given of a model's answers to a batch. */
export function reduced(
  { reduce }: Pick<MeasuredOutput, 'reduce'>,
  answers: Answers,
  batch: MeasuredBatch,
): Answers {
  return reduce ? reduce(answers, batch) : answers;
}

/** Measures all outputs of a model over the same batches. */
export class OutputsMeasuring {
  readonly #parts: readonly { readonly part: MeasuredOutput; readonly measuring: Measuring }[];

  constructor(outputs: readonly MeasuredOutput[]) {
    this.#parts = outputs.map((part) => ({ part, measuring: new Measuring(part.metrics) }));
  }

  /** Names of the outputs, as a session is asked for them. */
  get fetches(): Record<string, null> {
    return Object.fromEntries(this.#parts.map(({ part: { output } }) => [output, null]));
  }

  add(answers: Readonly<Record<string, Answers>>, batch: MeasuredBatch): void {
    for (const { part, measuring } of this.#parts)
      measuring.add(reduced(part, answers[part.output] as Answers, batch), batch);
  }

  /** By name, and by `OUTPUT/NAME` where there are several outputs. */
  values(): Evaluation {
    const several = this.#parts.length > 1;
    return Object.assign(
      {},
      ...this.#parts.map(({ part: { output }, measuring }) => measuring.values(several ? `${output}/` : '')),
    );
  }
}
