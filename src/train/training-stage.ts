import { type Evaluation, isBetter } from '../metrics/metric.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import type { StepWeighting } from '../weighting/weighting.ts';
import type { ModelSelection } from './early-stopping.ts';

/** A part of a training with a loss of its own: progressive distillation has three (last layer, inner layers, attacks). */
export interface TrainingStage {
  /** For metrics (`training_stage`) and people; no two have the same. */
  readonly name: string;
  readonly terms: readonly ObjectiveTerm[];
  readonly weighting?: StepWeighting;
  /** It ends after so many steps at the latest; the last stage takes all that are left. */
  readonly steps: number;
  /** It ends earlier after so many evaluations without a better one; what it leaves is the next one's. */
  readonly plateau?: number;
}

/** Where a training is among its stages; plain data, for checkpoints. */
export interface StageState {
  index: number;
  /** The step before its first one. */
  began: number;
  /** Its best evaluation, and how many came after it. */
  best?: Evaluation;
  since: number;
}

export const FIRST_STAGE: StageState = { index: 0, began: 0, since: 0 };

/** The state after a step; `evaluation` is there when one came after it. */
export function stageAfter(
  state: StageState,
  stages: readonly TrainingStage[],
  { step, evaluation, metric }: { step: number; evaluation?: Evaluation; metric: ModelSelection['metric'] },
): StageState {
  const { steps, plateau } = stages[state.index] as TrainingStage;
  let after = state;
  if (evaluation) {
    after = isBetter(metric, evaluation, state.best)
      ? { ...state, best: evaluation, since: 0 }
      : { ...state, since: state.since + 1 };
  }
  const isOver = step - state.began >= steps || (plateau !== undefined && after.since >= plateau);
  const isLast = state.index === stages.length - 1;
  return isOver && !isLast ? { index: state.index + 1, began: step, since: 0 } : after;
}
