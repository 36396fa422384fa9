import { weighedKinds } from '../objectives/index.ts';
import { type LossStage, progressiveStages } from '../objectives/progressive.ts';
import type { Recipe } from '../recipe/schema.ts';
import { type StageOptions, stageEpochs } from '../recipe/stages.ts';
import type { TrainingStage } from '../train/training-stage.ts';

/** The stages that a recipe asks for, cut out of a training with all terms; undefined where one loss is for all of it. */
export function trainingStages(
  recipe: Pick<Recipe, 'stages' | 'objective' | 'training'>,
  whole: TrainingStage,
): TrainingStage[] | undefined {
  const wanted = wantedStages(recipe);
  if (wanted.length === 0) return undefined;
  const { epochs } = recipe.training;
  const epochsOf = stageEpochs(wanted, epochs);
  return wanted.map(({ name, objectives, until, patience }, index) => ({
    ...whole,
    name,
    terms: whole.terms.filter((term) => objectives.includes(term.name)),
    steps: Math.max(1, Math.round((whole.steps * (epochsOf[index] as number)) / epochs)),
    ...(until === 'plateau' ? { plateau: patience } : {}),
  }));
}

function wantedStages({
  stages,
  objective,
}: Pick<Recipe, 'stages' | 'objective'>): (LossStage &
  Partial<Pick<StageOptions, 'epochs' | 'until' | 'patience'>>)[] {
  if (stages === false) return [];
  return stages === 'progressive' ? progressiveStages(weighedKinds(objective)) : stages;
}
