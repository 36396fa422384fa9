import { LimbeckError } from '../errors.ts';
import type { ObjectiveContext, PairContext } from './objective.ts';

/** Student and teacher, for a loss that looks into them. @throws LimbeckError `recipe.no-layers` where they are not known */
export function requiredModels({ models }: ObjectiveContext, loss: string): PairContext {
  if (models) return models;
  throw new LimbeckError('recipe.no-layers', `the loss '${loss}' looks into models that are not known here`, {
    where: `objective.${loss}`,
    remedy: `Set objective.${loss}.weight to 0 for this command.`,
  });
}
