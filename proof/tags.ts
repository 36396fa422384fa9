import type { RunResult } from '../src/index.ts';
import { answersTable, kept, metricOf, peersOf } from './answers-table.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';

/** A head on the sentence encoder knows which of 57 kinds a gloss defines, and teaches a small student of n-grams. */
export const tags: Proof = {
  name: 'tags',
  title: 'Tags: several classes a text',
  async run(log) {
    const runs: RunResult[] = [];
    const plain: RunResult[] = [];
    for (const seed of SEEDS) {
      runs.push(await distilRecipe({ recipe: 'tags', name: 'tags', seed, log }));
      plain.push(
        await distilRecipe({
          recipe: 'tags',
          name: 'tags-plain',
          seed,
          overrides: ['objective=[{ kind: bceKd, output: logits, weight: 1 }]'],
          baseline: false,
          log,
        }),
      );
    }
    const area = (model: RunResult['student'] | null | undefined) => metricOf(model, 'macroAuroc');
    const students = runs.map(({ student }) => area(student));
    const gainsOver = (name: string) =>
      runs.map((run) => area(run.student) - area(peersOf(run).find((peer) => peer.name === name)?.result));
    const gains = gainsOver('labels');
    const overLinear = gainsOver('linear-answers');
    const lost = runs.map(({ gate }) => gate?.drop ?? Number.NaN);
    const retained = kept(runs, 'macroAuroc');
    const speedups = runs.map(({ speedup }) => speedup ?? 0);
    const training = runs.map(({ seconds }) => seconds.train / 60);
    return {
      table: answersTable({
        runs,
        plain,
        plainTitle: 'plain KD: the teacher alone, no labels',
        sample: 'text',
        columns: [
          { metric: 'macroAuroc', title: 'macro-AUROC, %' },
          { metric: 'macroAP', title: 'mAP, %' },
          { metric: 'macroF1', title: 'macro-F1, %' },
        ],
      }),
      text:
        `Mean ± standard deviation over ${runs.length} seeds; a seed draws another split, other labels and other initial weights. 2,000 of 24,000 training texts have labels; the teacher answers all of them. ` +
        `The student keeps ${percents(retained)} % of its teacher's macro-AUROC and has ${percents(gains)} points more than the same student without it, ${percents(overLinear)} more than the linear model that learnt from the same answers. ` +
        `Training it took ${spreadOf(training).mean.toFixed(1)} minutes, and int8 changes it by ${percents(lost.map((drop) => -drop))} points. Thresholds of F1 are chosen on the validation split.`,
      claims: [
        {
          text: 'every student is better than the same student without a teacher',
          holds: Math.min(...gains) > 0,
        },
        {
          text: 'the gain is larger than the spread of the students',
          holds: spreadOf(gains).mean > spreadOf(students).deviation,
        },
        {
          text: `every student keeps 97 % of its teacher's macro-AUROC (${percents(retained)} %)`,
          holds: Math.min(...retained) >= 0.97,
        },
        {
          text: 'the student is above the linear model of the same teacher by more than the spread of the difference',
          holds: spreadOf(overLinear).mean > spreadOf(overLinear).deviation,
        },
        {
          text: 'every student has at least 15 times the throughput of its teacher',
          holds: Math.min(...speedups) >= 15,
        },
        { text: 'int8 loses at most a point in every run', holds: Math.max(...lost) <= 0.01 },
      ],
    };
  },
};
