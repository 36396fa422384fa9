import type { ObjectiveTerm } from '../../objectives/objective.ts';
import { BalancedNorms } from '../../train/balanced-norms.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import type { StepControl } from '../../train/step-control.ts';
import { TrainedWeights } from '../../train/trained-weights.ts';
import type { TrainingStage } from '../../train/training-stage.ts';
import { dynamicWeights } from '../../weighting/dynamic.ts';
import { givenFactors } from '../../weighting/gradient-norms.ts';
import { uncertaintyWeights } from '../../weighting/uncertainty.ts';
import type { StepWeighting } from '../../weighting/weighting.ts';
import { validationBatches } from '../batches/validation-batches.ts';
import { gradientLimit } from '../context/gradient-limit.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { labelTerms, outputContext, teacherTerms } from '../heads/label-terms.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';

/** What a recipe's `weighting` brings to a training: one for all of its stages. */
export interface Weighting {
  /** Absent where the recipe's weights are all there is to say. */
  readonly weighting?: StepWeighting;
  readonly controls: readonly StepControl[];
}

/** How the terms of all stages of a training of a taught student are weighed over time. */
export function weightingOf(
  run: RunContext,
  data: TaskData,
  {
    stages,
    variants,
  }: {
    readonly stages: readonly Pick<TrainingStage, 'name' | 'terms'>[];
    readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  },
): Weighting {
  const { recipe, engine } = run;
  const { weighting, training, seed } = recipe;
  const names = [...new Set(stages.flatMap(({ terms }) => terms.map(({ name }) => name)))];
  switch (weighting.kind) {
    case 'fixed':
      return { controls: [] };
    case 'uncertainty':
      return { weighting: uncertaintyWeights(), controls: [] };
    case 'gradient-norms':
      return {
        weighting: givenFactors(names),
        controls: [new BalancedNorms({ settings: weighting, names, stages })],
      };
    case 'dynamic': {
      const weights = { names, context: outputContext(data) };
      const control = new TrainedWeights({
        engine,
        student: data.buildStudent(),
        optimizer: createOptimizer(training.optimizer),
        ...gradientLimit(training),
        seed,
        settings: weighting,
        weights,
        stages,
        variants,
        validationTerms: validationTerms(data),
        validation: validationBatches({
          split: data.dataset.splits.validation,
          variants,
          seed,
        }),
        onWarning: (message) => run.warn(message),
      });
      return { weighting: dynamicWeights(weights), controls: [control] };
    }
  }
}

/** What is lowered on the validation split: the loss by its labels or, where no output has any, by what the teacher says. */
function validationTerms(data: Pick<TaskData, 'dataset' | 'heads'>): ObjectiveTerm[] {
  const knowsTruth = data.heads.some((head) => !isTaughtAlone(head));
  return knowsTruth ? labelTerms(data) : teacherTerms(data);
}
