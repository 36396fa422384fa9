import { readFileSync } from 'node:fs';
import { accuracyOf, type RunResult } from '../src/index.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

/** Does a student that an int8 teacher labelled know less? The reason for the default of teacher.minAgreement. */
export const labellingPrecision: Proof = {
  name: 'labelling-precision',
  title: 'Labels by an int8 teacher, and by its float32 original',
  async run(log) {
    const accuracies: Record<string, number[]> = {};
    const rows = [['labelled by', 'student accuracy, %', 'decides as float32, %']];
    for (const precision of ['f32', 'int8'] as const) {
      const name = `labelled-by-${precision}`;
      const runs: RunResult[] = [];
      const agreements: number[] = [];
      for (const seed of SEEDS) {
        runs.push(
          await distilRecipe({
            recipe: 'glosses',
            name,
            seed,
            overrides: [`teacher.precision=${precision}`],
            baseline: false,
            log,
          }),
        );
        const state = JSON.parse(
          readFileSync(new URL(`../runs/proof/${name}-seed-${seed}/state.json`, import.meta.url), 'utf8'),
        );
        if (state.done.teacher.agreement !== null) agreements.push(state.done.teacher.agreement);
      }
      accuracies[precision] = runs.map(({ student }) => accuracyOf(student));
      rows.push([
        precision,
        percents(accuracies[precision]),
        agreements.length > 0 ? percents(agreements) : '',
      ]);
    }
    return {
      table: markdownTable(rows),
      text: 'The same seeds, splits and initial weights in both rows.',
      claims: [
        {
          text: 'students that int8 labelled are within a point of those that float32 labelled, on average',
          holds: Math.abs(spreadOf(accuracies.int8).mean - spreadOf(accuracies.f32).mean) <= 0.01,
        },
      ],
    };
  },
};
