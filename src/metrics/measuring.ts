import type { Answers, Evaluation, MeasuredBatch, Metric } from './metric.ts';

/** Several metrics of one output over the same batches. */
export class Measuring {
  readonly #parts: readonly { readonly metric: Metric; readonly state: unknown }[];

  constructor(metrics: readonly Metric[]) {
    this.#parts = metrics.map((metric) => ({ metric, state: metric.start() }));
  }

  add(answers: Answers, batch: MeasuredBatch): void {
    for (const { metric, state } of this.#parts) metric.add(state, answers, batch);
  }

  /** The numbers by name; `prefix` stands before each where a model has several heads (`boxes/`). */
  values(prefix = ''): Evaluation {
    return Object.fromEntries(
      this.#parts.map(({ metric, state }) => [`${prefix}${metric.name}`, metric.value(state)]),
    );
  }
}
