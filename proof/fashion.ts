import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { accuracyOf, parseRecipe, type RunResult, type TrainResult, train } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';

const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));
const TEACHER_RUN = fileURLToPath(new URL('../runs/fashion', import.meta.url));

/** recipes/fashion.yaml, then recipes/fashion-student.yaml as it is. */
export const fashion: Proof = {
  name: 'fashion',
  title: 'Fashion-MNIST: a ResNet and its MobileNetV3',
  async run(log) {
    const teacher = await trainedTeacher(log);
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
        `The student has 100 labels a class and the teacher's answers about all 55,000 pictures, the baseline those labels alone, for as many steps: the student has ${percents(gains)} points more.`,
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

/** What `limbeck train recipes/fashion.yaml` left; trained now, where it did not run. */
async function trainedTeacher(log: (line: string) => void): Promise<TrainResult> {
  const result = `${TEACHER_RUN}/result.json`;
  if (existsSync(result)) return JSON.parse(readFileSync(result, 'utf8')) as TrainResult;
  const file = `${RECIPES}/fashion.yaml`;
  return train(parseRecipe(readFileSync(file, 'utf8'), { file }), {
    out: TEACHER_RUN,
    recipeFolder: RECIPES,
    onEvent: (event) => {
      if (event.type === 'stage-end')
        log(`fashion: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}
