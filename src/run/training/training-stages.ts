import { LimbeckError } from '../../errors.ts';
import { weighedKinds } from '../../objectives/index.ts';
import { type LossStage, progressiveStages } from '../../objectives/progressive.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { type StageOptions, stageEpochs } from '../../recipe/stages.ts';
import type { TrainingStage } from '../../train/training-stage.ts';

type WantedStage = LossStage & Partial<Pick<StageOptions, 'epochs' | 'until' | 'patience'>>;

/**
 * The stages that a recipe asks for, cut out of a training with all terms; undefined where one loss is for all of it.
 *
 * @throws LimbeckError `recipe.invalid` for a stage of which no term fits student and teacher
 */
export function trainingStages(
  recipe: Pick<Recipe, 'stages' | 'objective' | 'training'>,
  whole: TrainingStage,
): TrainingStage[] | undefined {
  const wanted = wantedStages(recipe, whole);
  if (wanted.length === 0) return undefined;
  const { epochs } = recipe.training;
  const epochsOf = stageEpochs(wanted, epochs);
  return wanted.map(({ name, objectives, until, patience }, index) => {
    const terms = whole.terms.filter(
      ({ name }) => objectives.includes(name) || objectives.includes(kindOf(name)),
    );
    if (terms.length === 0) throw withoutTerms(name, objectives, whole);
    const steps = Math.max(1, Math.round((whole.steps * (epochsOf[index] as number)) / epochs));
    return { ...whole, name, terms, steps, ...(until === 'plateau' ? { plateau: patience } : {}) };
  });
}

function wantedStages(
  { stages, objective }: Pick<Recipe, 'stages' | 'objective'>,
  { terms }: TrainingStage,
): readonly WantedStage[] {
  if (stages === false) return [];
  if (stages !== 'progressive') return stages;
  // Terms that do not fit the pair were left out, and make no stage.
  return progressiveStages(
    weighedKinds(objective).filter(({ kind }) => terms.some(({ name }) => kindOf(name) === kind)),
  );
}

/** The kind of a term: what stands before its output. */
function kindOf(term: string): string {
  return term.split('/')[0] as string;
}

function withoutTerms(stage: string, objectives: readonly string[], { terms }: TrainingStage): LimbeckError {
  return new LimbeckError(
    'recipe.invalid',
    `the stage '${stage}' has no term that fits student and teacher`,
    {
      where: `stages, ${objectives.join(', ')}; those that do are ${terms.map(({ name }) => name).join(', ')}`,
      remedy: 'Name one of them in the stage, or leave the stage out.',
    },
  );
}
