import type { RunResult } from '../src/index.ts';
import { modelTable, modelText, studentClaims } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';

/** What a teacher is worth when every training text has its label. */
export const allLabels: Proof = {
  name: 'all-labels',
  title: 'Glosses, every label',
  async run(log) {
    const runs: RunResult[] = [];
    for (const seed of SEEDS) {
      runs.push(await distilRecipe({ recipe: 'glosses-all-labels', name: 'all-labels', seed, log }));
    }
    return { table: modelTable(runs), text: modelText(runs), claims: studentClaims(runs, 0.73) };
  },
};
