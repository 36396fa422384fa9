import { fileURLToPath } from 'node:url';
import { accuracyOf, type RunResult } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';
import { trainedRecipe } from './trained-recipe.ts';

const TEACHER_RUN = fileURLToPath(new URL('../runs/emoji-groups', import.meta.url));
/** The teacher alone, without a label. */
const PLAIN = ['objective={"kd":{"weight":1}}'];
/** Trained here, not the one that comes along: another processor may round otherwise. */
const TEACHER = [`teacher.model=${TEACHER_RUN}/student/onnx/model.onnx`];

/** recipes/emoji-groups.yaml, then recipes/emoji-groups-student.yaml as it is. */
export const emojiGroups: Proof = {
  name: 'emoji-groups',
  title: 'Groups of emoji by their drawings',
  async run(log) {
    const teacher = await trainedRecipe({ recipe: 'emoji-groups', out: TEACHER_RUN, log });
    const runs: RunResult[] = [];
    const plain: RunResult[] = [];
    for (const seed of SEEDS) {
      const recipe = 'emoji-groups-student';
      runs.push(await distilRecipe({ recipe, name: recipe, seed, overrides: TEACHER, log }));
      plain.push(
        await distilRecipe({
          recipe,
          name: 'emoji-groups-plain',
          seed,
          overrides: [...TEACHER, ...PLAIN],
          baseline: false,
          log,
        }),
      );
    }
    const students = runs.map(({ student }) => accuracyOf(student));
    const baselines = runs.map(({ baseline }) => (baseline ? accuracyOf(baseline) : 0));
    const gains = students.map((accuracy, i) => accuracy - (baselines[i] as number));
    const overPlain = students.map((accuracy, i) => accuracy - accuracyOf((plain[i] as RunResult).student));
    return {
      table: modelTable(runs, 'image'),
      text:
        `The teacher was trained once, on every label (${percents([accuracyOf(teacher.student)])} % of the test split); the same drawings are always held out. Mean ± standard deviation over ${runs.length} seeds of the student, which has 20 labels a group and the teacher's answers to all other drawings; the baseline has those labels alone. ` +
        `The student has ${percents(gains)} points more than the baseline, and ${percents(overPlain)} more than plain KD without labels (${percents(plain.map(({ student }) => accuracyOf(student)))} %).`,
      claims: [
        {
          text: 'every student is better than the same student without a teacher',
          holds: gains.every((gain) => gain > 0),
        },
        {
          text: 'the gain is larger than the spread of the students',
          holds: spreadOf(gains).mean > spreadOf(students).deviation,
        },
      ],
    };
  },
};
