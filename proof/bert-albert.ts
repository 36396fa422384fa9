import { accuracyOf, type RunResult } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { numbers, percents, spreadOf } from './statistics.ts';

/** What the student keeps of its teacher's accuracy. */
const KEEPS = 0.97;
/** What a small student of these texts reaches by itself (recipes/glosses-all-labels.yaml). */
const BY_ITSELF = 0.812;
/** The recipe without what looks into the teacher. */
const PLAIN_KD = ['objective={ kd: { weight: 0.7, temperature: 2 }, labels: { weight: 0.3 } }'];

/** recipes/glosses-albert.yaml: a BERT that we trained teaches an ALBERT of a tenth of its weights. */
export const bertAlbert: Proof = {
  name: 'bert-albert',
  title: 'BERT and ALBERT: glosses with every label',
  async run(log) {
    const runs: RunResult[] = [];
    const plain: RunResult[] = [];
    for (const seed of SEEDS) {
      const how = { recipe: 'glosses-albert', seed, timingSeconds: 0.3, log };
      runs.push(await distilRecipe({ ...how, name: 'bert-albert' }));
      plain.push(
        await distilRecipe({ ...how, name: 'bert-albert-plain', overrides: PLAIN_KD, baseline: false }),
      );
    }
    const accuracies = runs.map(({ student }) => accuracyOf(student));
    const gains = (others: readonly number[]) => accuracies.map((value, i) => value - (others[i] as number));
    const plainAccuracies = plain.map(({ student }) => accuracyOf(student));
    const overPlain = gains(plainAccuracies);
    const overBaseline = gains(runs.map(({ baseline }) => (baseline ? accuracyOf(baseline) : Number.NaN)));
    const kept = runs.map(({ retention }) => retention ?? Number.NaN);
    const [{ teacher, student }] = runs as [RunResult];
    const teacherAccuracy = teacher ? accuracyOf(teacher) : Number.NaN;
    const smaller = (teacher?.parameters ?? Number.NaN) / student.parameters;
    return {
      table: `${modelTable(runs)}\n| the student with plain KD | ${percents(plainAccuracies)} | ${percents(plain.map(({ student: { macroF1 = Number.NaN } }) => macroF1))} | | | |`,
      text:
        `Mean ± standard deviation over ${SEEDS.length} seeds of the students, one teacher and one split: 8,000 test glosses. The teacher has ${teacher?.parameters.toLocaleString('en')} parameters and comes along in int8 (models/glosses-bert), ` +
        `the student ${student.parameters.toLocaleString('en')}; all learn from the same labels, in as many passes. ` +
        `With attention transfer and intermediate alignment the student has ${percents(overPlain)} points more than with plain KD, and ${percents(overBaseline)} more than without a teacher.`,
      claims: [
        {
          text: `the teacher is better than ${(100 * BY_ITSELF).toFixed(1)} %, which a small student reaches by itself (${(100 * teacherAccuracy).toFixed(1)} %)`,
          holds: teacherAccuracy > BY_ITSELF,
        },
        {
          text: `the student has a tenth of its weights or fewer (${numbers([smaller], 1).replace(/ ± .*/, '')} times fewer)`,
          holds: smaller >= 10,
        },
        {
          text: `it keeps at least ${100 * KEEPS} % of its teacher's accuracy (${percents(kept)} %)`,
          holds: spreadOf(kept).mean >= KEEPS,
        },
        gain('it is better than with plain KD', overPlain),
        gain('it is better than without a teacher', overBaseline),
      ],
    };
  },
};

function gain(what: string, gains: readonly number[]) {
  const { mean, deviation } = spreadOf(gains);
  return { text: `${what}, by more than the spread (${percents(gains)} points)`, holds: mean > deviation };
}
