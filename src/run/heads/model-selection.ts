import { LimbeckError } from '../../errors.ts';
import type { MetricInfo } from '../../metrics/metric.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { ModelSelection } from '../../train/early-stopping.ts';

/**
 * By which of a model's metrics the best step of a training is chosen: the one that the recipe names, `usual` otherwise.
 * Throws LimbeckError `recipe.invalid` for a metric that the model does not have.
 */
export function modelSelection(
  metrics: readonly MetricInfo[],
  usual: string,
  earlyStopping: Recipe['training']['earlyStopping'],
): ModelSelection {
  const wanted = earlyStopping === false ? usual : earlyStopping.metric;
  const metric = metrics.find(({ name }) => name === wanted);
  if (!metric) {
    throw new LimbeckError('recipe.invalid', `the model is not measured by ${wanted}`, {
      where: 'training.earlyStopping.metric',
      remedy: `Choose one of ${metrics.map(({ name }) => name).join(', ')}.`,
    });
  }
  return { metric, ...(earlyStopping && { patience: earlyStopping.patience }) };
}
