import { fileURLToPath } from 'node:url';
import { accuracyOf, type RunResult } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';
import { trainedRecipe } from './trained-recipe.ts';

const TEACHER_RUN = fileURLToPath(new URL('../runs/fashion', import.meta.url));

/** recipes/fashion.yaml, then recipes/fashion-student.yaml as it is. */
export const fashion: Proof = {
  name: 'fashion',
  title: 'Fashion-MNIST: a ResNet and its MobileNetV3',
  async run(log) {
    const teacher = await trainedRecipe({ recipe: 'fashion', out: TEACHER_RUN, log });
    const runs: RunResult[] = [];
    for (const seed of SEEDS)
      runs.push(await distilRecipe({ recipe: 'fashion-student', name: 'fashion-student', seed, log }));
    const gains = runs.map(
      ({ student, baseline }) => accuracyOf(student) - (baseline ? accuracyOf(baseline) : 0),
    );
    const students = runs.map(({ student }) => accuracyOf(student));
    return {
      table: modelTable(runs, 'image'),
      text:
        `The teacher was trained once, in ${(teacher.seconds.total / 60).toFixed(0)} minutes (seed 1); mean ± standard deviation over ${runs.length} seeds of the student. ` +
        `The student has 100 labels a class and the teacher's answers about all 55,000 images, the baseline those labels alone, for as many steps: the student has ${percents(gains)} points more.`,
      claims: [
        {
          text: `the teacher has at least 93.5 % on the test split (${percents([accuracyOf(teacher.student)])})`,
          holds: accuracyOf(teacher.student) >= 0.935,
        },
        {
          text: 'the gain over the baseline is larger than the spread of the students',
          holds: spreadOf(gains).mean > spreadOf(students).deviation,
        },
      ],
    };
  },
};
