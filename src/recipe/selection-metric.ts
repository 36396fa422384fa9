import { openHead } from '../targets/head.ts';
import { findTarget } from '../targets/index.ts';
import { outputsOf, type StatedParts } from './parts.ts';

interface Wanted extends Pick<StatedParts, 'outputs' | 'task' | 'data'> {
  readonly training: { readonly earlyStopping: false | { readonly metric: string } };
}

/** A metric to stop by that none of the outputs has. Silent where a target does not say its metrics before data are read. */
export function metricProblems(recipe: Wanted): { path: string[]; message: string }[] {
  const { earlyStopping } = recipe.training;
  const outputs = outputsOf(recipe);
  // A recipe of one class may be one that is never trained: its metric is then the default.
  const isOneClass = !recipe.outputs && outputs.every(({ target }) => target === 'class');
  if (earlyStopping === false || isOneClass) return [];
  const names: string[] = [];
  for (const { name, target: kind, options } of outputs) {
    const target = findTarget(kind);
    if (target?.example === undefined) return [];
    const { metrics } = openHead({ output: name, target, options, space: target.example, labels: 'labels' });
    names.push(...metrics.map((metric) => (outputs.length > 1 ? `${name}/${metric.name}` : metric.name)));
  }
  if (names.includes(earlyStopping.metric)) return [];
  const message = `the model is not measured by ${earlyStopping.metric}; choose one of ${names.join(', ')}`;
  return [{ path: ['training', 'earlyStopping', 'metric'], message }];
}
