import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { distill, parseRecipe, type RunResult } from '../src/index.ts';

/** Distils a recipe of the repository with one seed, in runs/proof/NAME-seed-N, telling each stage's end. */
export async function distilRecipe(options: {
  readonly recipe: string;
  readonly name: string;
  readonly seed: number;
  readonly overrides?: readonly string[];
  readonly baseline?: boolean;
  /** Told of each stage's begin and end. */
  readonly onStage?: (stage: string, isOver: boolean) => void;
  log(line: string): void;
}): Promise<RunResult> {
  const { name, seed, log } = options;
  const file = fileURLToPath(new URL(`../recipes/${options.recipe}.yaml`, import.meta.url));
  const recipe = parseRecipe(readFileSync(file, 'utf8'), {
    file,
    overrides: [...(options.overrides ?? []), `seed=${seed}`],
  });
  return distill(recipe, {
    out: fileURLToPath(new URL(`../runs/proof/${name}-seed-${seed}`, import.meta.url)),
    storeFolder: fileURLToPath(new URL('../runs/proof/.store', import.meta.url)),
    recipeFolder: fileURLToPath(new URL('../recipes', import.meta.url)),
    baseline: options.baseline,
    command: `npx limbeck distill recipes/${options.recipe}.yaml --seed ${seed}`,
    onEvent: (event) => {
      if (event.type === 'stage-start') options.onStage?.(event.stage, false);
      if (event.type === 'stage-end') options.onStage?.(event.stage, true);
      if (event.type === 'stage-end')
        log(`${name} seed ${seed}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}
