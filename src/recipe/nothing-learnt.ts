import { allObjectives } from '../objectives/index.ts';
import { listed } from './expectation.ts';
import { lossFits } from './meaning.ts';
import { type ObjectivePart, weightsOf } from './objective.ts';
import { outputsOf, type StatedParts } from './parts.ts';

interface Wanted extends Pick<StatedParts, 'outputs' | 'task' | 'data'> {
  readonly objective: ObjectivePart;
  readonly teacher?: unknown;
}

/** An objective without a loss that weighs anything: what is missing, and which losses fit the recipe's answers. */
export function nothingLearntProblems(recipe: Wanted): { path: string[]; message: string }[] {
  const weights = weightsOf(recipe.objective);
  if (weights.some((weight) => weight > 0)) return [];
  const why = weights.length === 0 ? 'nothing would be learnt' : 'all weights are 0: nothing would be learnt';
  return [{ path: ['objective'], message: `${why}; ${remedyFor(recipe)}` }];
}

function remedyFor({ teacher, ...recipe }: Wanted): string {
  const outputs = outputsOf(recipe);
  const [main] = outputs;
  if (!main) return 'name a loss';
  const isTold = outputs.some(({ field }) => field !== undefined) || main.target === 'pairs';
  if (teacher === undefined && !isTold)
    return 'name a teacher, or the column that holds the truth of an output (field)';
  return `name a loss for the output '${main.name}' (target ${main.target}): ${listed(lossesFor(main.target))}`;
}

/** The losses that compare answers of a kind: towards the truth, or towards the teacher. */
function lossesFor(target: string): string[] {
  const fit = allObjectives().filter(
    (loss) => (loss.level ?? 'task') === 'task' && lossFits(loss, target) === 'yes',
  );
  const ofPairs = fit.filter(({ options }) => 'outputs' in options.shape);
  return (target === 'pairs' ? ofPairs : fit).map(({ kind }) => kind);
}
