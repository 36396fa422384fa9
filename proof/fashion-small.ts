import { accuracyOf, type RunResult } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';

/** Parameters that a student has at most. */
const MOST_PARAMETERS = 100_000;

/** recipes/fashion-small.yaml: how good fewer than 100,000 parameters become where there is time. */
export const fashionSmall: Proof = {
  name: 'fashion-small',
  title: 'Fashion-MNIST with fewer than 100,000 parameters',
  async run(log) {
    const runs: RunResult[] = [];
    for (const seed of SEEDS)
      runs.push(await distilRecipe({ recipe: 'fashion-small', name: 'fashion-small', seed, log }));
    const students = runs.map(({ student }) => accuracyOf(student));
    const int8 = runs.map(({ student, studentInt8 }) => accuracyOf(studentInt8) - accuracyOf(student));
    const gains = runs.map(
      ({ student, baseline }) => accuracyOf(student) - (baseline ? accuracyOf(baseline) : Number.NaN),
    );
    const parameters = Math.max(...runs.map(({ student }) => student.parameters));
    return {
      table: modelTable(runs, 'image'),
      text:
        `Mean ± standard deviation over ${runs.length} seeds of the student, which has ${parameters.toLocaleString('en')} parameters; the teacher comes along (models/fashion-resnet). ` +
        `Student and baseline see the same 55,000 images with their labels for 30 epochs. With the teacher it has ${percents(gains)} points more than without; int8 changes it by ${percents(int8)}.`,
      claims: [
        {
          text: `students with at most ${MOST_PARAMETERS.toLocaleString('en')} parameters have at least 93.5 % (${percents(students)})`,
          holds: parameters <= MOST_PARAMETERS && spreadOf(students).mean >= 0.935,
        },
        { text: `int8 loses at most 0.2 points (${percents(int8)})`, holds: spreadOf(int8).mean >= -0.002 },
        {
          text: `the teacher is worth more than the spread (${percents(gains)})`,
          holds: spreadOf(gains).mean > spreadOf(gains).deviation,
        },
      ],
    };
  },
};
