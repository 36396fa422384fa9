/** What one evaluation found. */
export interface Evaluation {
  readonly accuracy: number;
  readonly macroF1: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
}

/** How the best parameters are chosen, and when training gives up. */
export interface ModelSelection {
  readonly metric: keyof Evaluation;
  /** Epochs without a better evaluation before training stops; all steps are done when absent. */
  readonly patience?: number;
}

/** The best evaluation so far; plain data, so that a checkpoint can hold it. */
export interface BestSoFar {
  readonly step: number;
  readonly evaluation: Evaluation;
}

/** Whether `candidate` is better: higher, but for the loss. The first is better than none. */
export function isBetter(
  metric: keyof Evaluation,
  candidate: Evaluation,
  best: Evaluation | undefined,
): boolean {
  if (!best) return true;
  return metric === 'loss' ? candidate.loss < best.loss : candidate[metric] > best[metric];
}

/**
 * Whether the best evaluation lies so many epochs back that training stops at `step`. It counts from `began` at the
 * earliest: a stage that has just begun has had no time to find a better one.
 */
export function patienceIsOver(
  { patience }: ModelSelection,
  best: BestSoFar | undefined,
  step: number,
  stepsPerEpoch: number,
  began = 0,
): boolean {
  if (patience === undefined || best === undefined) return false;
  return step - Math.max(best.step, began) >= patience * stepsPerEpoch;
}
