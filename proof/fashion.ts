import { accuracyOf, type RunResult } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';

/** recipes/fashion-student.yaml as it is, with the teacher that comes along. */
export const fashion: Proof = {
  name: 'fashion',
  title: 'Fashion-MNIST: a ResNet and its MobileNetV3',
  async run(log) {
    const runs: RunResult[] = [];
    for (const seed of SEEDS)
      runs.push(await distilRecipe({ recipe: 'fashion-student', name: 'fashion-student', seed, log }));
    const gains = runs.map(
      ({ student, baseline }) => accuracyOf(student) - (baseline ? accuracyOf(baseline) : 0),
    );
    const teachers = runs.map(({ teacher }) => accuracyOf(teacher));
    const students = runs.map(({ student }) => accuracyOf(student));
    return {
      table: modelTable(runs, 'image'),
      text:
        `The teacher comes along (models/fashion-resnet); mean ± standard deviation over ${runs.length} seeds of the student. ` +
        `The student has 100 labels a class and the teacher's answers about all 55,000 images, the baseline those labels alone, for as many steps: the student has ${percents(gains)} points more.`,
      claims: [
        {
          text: `the teacher has at least 93.5 % on the test split (${percents(teachers)})`,
          holds: Math.min(...teachers) >= 0.935,
        },
        {
          text: 'the gain over the baseline is larger than the spread of the students',
          holds: spreadOf(gains).mean > spreadOf(students).deviation,
        },
      ],
    };
  },
};
