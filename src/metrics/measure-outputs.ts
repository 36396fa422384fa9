import { Measuring } from './measuring.ts';
import type { Answers, Evaluation, MeasuredBatch, Metric } from './metric.ts';

/** An output of a model and what it is measured by. */
export interface MeasuredOutput {
  readonly output: string;
  readonly metrics: readonly Metric[];
  /** What the metrics are made of, where that is not the answers themselves. */
  reduce?(answers: Answers, batch: MeasuredBatch, written?: Answers): Answers;
  /** The output with what the model wrote by itself, where it does. */
  readonly written?: string | undefined;
}

/** What an output's metrics are given of a model's answers to a batch. */
export function reduced(
  { output, reduce, written }: Omit<MeasuredOutput, 'metrics'>,
  all: Readonly<Record<string, Answers>>,
  batch: MeasuredBatch,
): Answers {
  const answers = all[output] as Answers;
  return reduce ? reduce(answers, batch, written === undefined ? undefined : all[written]) : answers;
}

/** What a model is asked for, as a session takes it: of outputs that are written what it wrote, too, where it can. */
export function fetchesOf(
  outputs: readonly Omit<MeasuredOutput, 'metrics'>[],
  outputNames: readonly string[] = [],
): Record<string, null> {
  const names = outputs.flatMap(({ output, written }) =>
    written !== undefined && outputNames.includes(written) ? [output, written] : [output],
  );
  return Object.fromEntries(names.map((name) => [name, null]));
}

/** Measures all outputs of a model over the same batches. */
export class OutputsMeasuring {
  readonly #parts: readonly { readonly part: MeasuredOutput; readonly measuring: Measuring }[];

  constructor(outputs: readonly MeasuredOutput[]) {
    this.#parts = outputs.map((part) => ({ part, measuring: new Measuring(part.metrics) }));
  }

  /** Names of the outputs, as a session is asked for them. @param outputNames those that it has, where it may write */
  fetches(outputNames: readonly string[] = []): Record<string, null> {
    return fetchesOf(
      this.#parts.map(({ part }) => part),
      outputNames,
    );
  }

  add(answers: Readonly<Record<string, Answers>>, batch: MeasuredBatch): void {
    for (const { part, measuring } of this.#parts) measuring.add(reduced(part, answers, batch), batch);
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
