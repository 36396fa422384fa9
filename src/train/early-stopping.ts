/** What one evaluation found. */
export interface Evaluation {
  readonly accuracy: number;
  readonly macroF1: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
}

export interface EarlyStoppingOptions {
  readonly metric: keyof Evaluation;
  /** Evaluations without a better one before training stops. */
  readonly patience: number;
}

/** The state of early stopping; plain data, so that a checkpoint can hold it. */
export interface BestSoFar {
  readonly step: number;
  readonly evaluation: Evaluation;
  /** Evaluations since then. */
  readonly since: number;
}

/** Whether `candidate` is better: higher, but for the loss. */
export function isBetter(metric: keyof Evaluation, candidate: Evaluation, best: Evaluation): boolean {
  return metric === 'loss' ? candidate.loss < best.loss : candidate[metric] > best[metric];
}

/** The state after one more evaluation, and whether that one is the new best. */
export function afterEvaluation(
  best: BestSoFar | undefined,
  step: number,
  evaluation: Evaluation,
  metric: keyof Evaluation,
): { best: BestSoFar; improved: boolean } {
  if (!best || isBetter(metric, evaluation, best.evaluation)) {
    return { best: { step, evaluation, since: 0 }, improved: true };
  }
  return { best: { ...best, since: best.since + 1 }, improved: false };
}
