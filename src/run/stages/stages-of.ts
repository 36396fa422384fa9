import type { Recipe } from '../../recipe/schema.ts';
import type { Artifact } from '../context/artifact.ts';
import type { RunOptions } from '../context/run-options.ts';
import { GIVEN } from './given.ts';
import { withRegistered } from './registered.ts';
import type { Stage } from './stage.ts';

/**
 * The stages that a command has for a recipe: those of its list and those that were registered, which apply and whose needs the
 * ones before them make.
 */
export function stagesOf(list: readonly Stage[], recipe: Recipe, options: RunOptions): Stage[] {
  const made = new Set(GIVEN);
  return withRegistered(list).filter((stage) => {
    if (stage.applies?.(recipe, options) === false || missingNeed(stage, made) !== undefined) return false;
    if (stage.makes) made.add(stage.makes.name);
    return true;
  });
}

/** The name of something that a stage cannot do without and that is not made; undefined where there is everything. */
export function missingNeed({ needs }: Stage, made: ReadonlySet<string>): string | undefined {
  const wanted = Object.values(needs as Readonly<Record<string, Artifact<unknown>>>);
  return wanted.find(({ name, optional }) => !optional && !made.has(name))?.name;
}
