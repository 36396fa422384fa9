import type { RunResult } from '../src/index.ts';
import { defaultRunClaims, modelTable, modelText, studentClaims } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';

/** The main job: recipes/glosses.yaml as it is. */
export const fewLabels: Proof = {
  name: 'few-labels',
  title: 'Glosses, 100 labels a class',
  inReadme: true,
  async run(log) {
    const runs: RunResult[] = [];
    for (const seed of SEEDS)
      runs.push(await distilRecipe({ recipe: 'glosses', name: 'few-labels', seed, log }));
    return {
      table: modelTable(runs),
      text: modelText(runs),
      claims: [...studentClaims(runs, 0.6), ...defaultRunClaims(runs)],
    };
  },
};
