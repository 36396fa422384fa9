import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRecipe, type TrainResult, train } from '../src/index.ts';

const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));

/** What `limbeck train recipes/NAME.yaml --out OUT` left; trained now, where it did not run. */
export async function trainedRecipe(options: {
  readonly recipe: string;
  readonly overrides?: readonly string[];
  readonly out: string;
  log(line: string): void;
}): Promise<TrainResult> {
  const { recipe, overrides, out, log } = options;
  const result = join(out, 'result.json');
  if (existsSync(result)) return JSON.parse(readFileSync(result, 'utf8')) as TrainResult;
  const file = join(RECIPES, `${recipe}.yaml`);
  return train(parseRecipe(readFileSync(file, 'utf8'), { file, overrides }), {
    out,
    recipeFolder: RECIPES,
    onEvent: (event) => {
      if (event.type === 'stage-end')
        log(`${basename(out)}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}
