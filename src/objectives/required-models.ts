import { LimbeckError } from '../errors.ts';
import { type ObjectiveContext, type PairContext, withContext } from './objective.ts';

/** Student and teacher, for a loss that looks into them. @throws LimbeckError `recipe.no-layers` where they are not known */
export function requiredModels({ models }: ObjectiveContext, loss: string): PairContext {
  if (models) return models;
  throw new LimbeckError('recipe.no-layers', `the loss '${loss}' looks into models that are not known here`, {
    where: `objective.${loss}`,
    remedy: `Set objective.${loss}.weight to 0 for this command.`,
  });
}

/** Both models as far as they lead to an output: of a side of a pair, its tower. */
export function modelsTo(output: string | undefined, models: PairContext): PairContext {
  return (output !== undefined && models.towers?.get(output)) || models;
}

/**
 * What a loss knows that looks into the layers which lead to an output.
 *
 * @throws LimbeckError `recipe.no-layers` for a pair of which no side is named
 */
export function contextOf(
  context: ObjectiveContext,
  loss: string,
  output: string | undefined,
): ObjectiveContext {
  const { models } = context;
  if (!models?.towers) return context;
  if (output === undefined || !models.towers.has(output)) {
    throw new LimbeckError(
      'recipe.no-layers',
      `the loss '${loss}' looks into one tower, and a pair has two`,
      {
        where: `objective.${loss}`,
        remedy: `Name the side (output: ${[...models.towers.keys()].join(' or ')}) in a list of losses.`,
      },
    );
  }
  return withContext(context, { models: modelsTo(output, models) });
}
