import { allObjectives } from './index.ts';
import type { ObjectiveContext, ObjectiveTerm } from './objective.ts';

/** An output of a model, and the losses of its kind of answer by their names, with weights. */
export interface TaughtOutput {
  readonly output: string;
  readonly objective: Readonly<Record<string, number | { readonly weight: number }>>;
}

/**
 * The terms of a training that only knows the truth (or only the teacher's answers): of every output the losses of its kind
 * of answer, in equal parts whatever their weights are beside others.
 */
export function termsOfOutputs(
  outputs: readonly TaughtOutput[],
  context: Pick<ObjectiveContext, 'classes' | 'mainOutput' | 'weighted' | 'spreads'>,
): ObjectiveTerm[] {
  return outputs.flatMap(({ output, objective }) => {
    const weighed = Object.entries(objective).map(
      ([name, given]) => [name, typeof given === 'number' ? { weight: given } : given] as const,
    );
    const all = weighed.reduce((sum, [, { weight }]) => sum + weight, 0);
    return weighed.map(([name, given]) => {
      const kind = allObjectives().find((one) => one.kind === name);
      if (!kind) throw new Error(`no loss ${name}`);
      const options = kind.options.parse({ ...given, output, weight: given.weight / all });
      return kind.term(options, context);
    });
  });
}
