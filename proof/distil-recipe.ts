import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { distill, parseRecipe, type Recipe, type RunResult } from '../src/index.ts';

export const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));
export const RUNS = fileURLToPath(new URL('../runs/proof', import.meta.url));

/** A recipe of the repository as a proof runs it. */
export interface RecipeVariant {
  readonly recipe: string;
  /** Of the run's folder, before `-seed-N`. */
  readonly name: string;
  readonly seed: number;
  /** In the place of the recipe's list of transforms; null takes the list away. */
  readonly compress?: readonly object[] | null | undefined;
  readonly overrides?: readonly string[] | undefined;
}

/** The recipe of a variant with one seed, and where its run is: in runs/proof/NAME-seed-N. */
export function variantRun(variant: RecipeVariant): { readonly recipe: Recipe; readonly out: string } {
  const { name, seed, compress, overrides = [] } = variant;
  const file = `${RECIPES}/${variant.recipe}.yaml`;
  const text = readFileSync(file, 'utf8');
  return {
    recipe: parseRecipe(compress === undefined ? text : withCompress(text, compress), {
      file,
      overrides: [...overrides, `seed=${seed}`],
    }),
    out: `${RUNS}/${name}-seed-${seed}`,
  };
}

function withCompress(text: string, list: readonly object[] | null): string {
  const { compress: _, ...plain } = parse(text) as Record<string, unknown>;
  return stringify(list ? { ...plain, compress: list } : plain);
}

/** Distils a recipe of the repository with one seed, in runs/proof/NAME-seed-N, telling each stage's end. */
export async function distilRecipe(
  options: RecipeVariant & {
    readonly baseline?: boolean;
    /** How long each model is timed. */
    readonly timingSeconds?: number;
    /** Told of each stage's begin and end. */
    readonly onStage?: (stage: string, isOver: boolean) => void;
    log(line: string): void;
  },
): Promise<RunResult> {
  const { name, seed, log } = options;
  const { recipe, out } = variantRun(options);
  return distill(recipe, {
    out,
    storeFolder: `${RUNS}/.store`,
    recipeFolder: RECIPES,
    baseline: options.baseline,
    timingSeconds: options.timingSeconds,
    command: `npx limbeck distill recipes/${options.recipe}.yaml --seed ${seed}`,
    onEvent: (event) => {
      if (event.type === 'stage-start') options.onStage?.(event.stage, false);
      if (event.type === 'stage-end') options.onStage?.(event.stage, true);
      if (event.type === 'stage-end')
        log(`${name} seed ${seed}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}
