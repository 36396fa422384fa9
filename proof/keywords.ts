import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pipeline } from '@huggingface/transformers';
import { decodeAudio } from '../src/data/modalities/audio/decode-audio.ts';
import { resample } from '../src/data/modalities/audio/resample.ts';
import { ASTERISK_FOLDER } from '../src/data/sources/asterisk-prompts.ts';
import { accuracyOf, parseRecipe, type RunResult, type TrainResult, train } from '../src/index.ts';
import { modelTable } from './compare-models.ts';
import { distilRecipe } from './distil-recipe.ts';
import { recordingsOf } from './keyword-recordings.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));
const RUNS = fileURLToPath(new URL('../runs', import.meta.url));
const TEACHER_RUN = `${RUNS}/keywords-teacher`;
/** Trained here, not the one that comes along: another processor may round otherwise. */
const TEACHER = [`teacher.model=${TEACHER_RUN}/student`];
const RATE = 8000;

/** A network trained on words that espeak-ng's voices speak teaches a small one; a person says the same words. */
export const keywords: Proof = {
  name: 'keywords',
  title: 'Keywords: synthetic voices, and a person',
  async run(log) {
    const teacher = await trainedTeacher(log);
    const runs: RunResult[] = [];
    const plain: RunResult[] = [];
    const untaught: TrainResult[] = [];
    for (const seed of SEEDS) {
      runs.push(await distilRecipe({ recipe: 'keywords', name: 'keywords', seed, overrides: TEACHER, log }));
      plain.push(
        await distilRecipe({
          recipe: 'keywords',
          name: 'keywords-plain',
          seed,
          overrides: [...TEACHER, 'objective.labels.weight=0'],
          baseline: false,
          log,
        }),
      );
      untaught.push(await withEveryLabel(seed, log));
    }
    const real = {
      teacher: [await heardRight(`${TEACHER_RUN}/student`)],
      students: await Promise.all(
        SEEDS.map((seed) => heardRight(`${RUNS}/proof/keywords-seed-${seed}/student`)),
      ),
      plain: await Promise.all(
        SEEDS.map((seed) => heardRight(`${RUNS}/proof/keywords-plain-seed-${seed}/student`)),
      ),
      untaught: await Promise.all(
        SEEDS.map((seed) => heardRight(`${RUNS}/proof/keywords-labels-seed-${seed}/student`)),
      ),
    };
    const accuracies = runs.map(({ student }) => accuracyOf(student));
    const gains = runs.map(
      ({ student, baseline }) => accuracyOf(student) - (baseline ? accuracyOf(baseline) : 0),
    );
    const words = recordingsOf(teacher.labels).length;
    const ownVoices = [
      ['teacher', percents([accuracyOf(teacher.result.student)]), percents(real.teacher)],
      ['student', percents(accuracies), percents(real.students)],
      [
        'plain KD: the teacher alone, no labels',
        percents(plain.map(({ student }) => accuracyOf(student))),
        percents(real.plain),
      ],
      [
        'no teacher, but every label',
        percents(untaught.map(({ student }) => accuracyOf(student))),
        percents(real.untaught),
      ],
    ];
    return {
      table: `${modelTable(runs, 'clip')}\n\n${markdownTable([['', 'voices not heard before, %', `a person, ${words} recordings, %`], ...ownVoices])}`,
      text:
        `Mean ± standard deviation over ${runs.length} seeds of the student. The teacher was trained once, on all labels. The student has five labels a word and the teacher's answers to all else, the baseline the five labels alone. ` +
        `The student has ${percents(gains)} points more. The second table is of the files that ship, read by transformers.js: recordings of the same words by a person, of which nothing was heard in training. Its last row learnt for as many steps from the labels that taught the teacher.`,
      claims: [
        {
          text: 'every student is better than the same student without a teacher',
          holds: Math.min(...gains) > 0,
        },
        {
          text: 'the gain is larger than the spread of the students',
          holds: spreadOf(gains).mean > spreadOf(accuracies).deviation,
        },
        {
          text: "every student keeps 90 % of its teacher's accuracy on voices not heard before",
          holds: Math.min(...runs.map(({ retention }) => retention ?? Number.NaN)) >= 0.9,
        },
        {
          text: 'every student understands the person twenty times as often as chance',
          holds: Math.min(...real.students) > 20 / teacher.labels.length,
        },
      ],
    };
  },
};

/** What `limbeck train recipes/keywords-teacher.yaml` left; trained now, where it did not run. */
async function trainedTeacher(
  log: (line: string) => void,
): Promise<{ readonly result: TrainResult; readonly labels: readonly string[] }> {
  const file = `${RECIPES}/keywords-teacher.yaml`;
  const recipe = parseRecipe(readFileSync(file, 'utf8'), { file });
  const path = `${TEACHER_RUN}/result.json`;
  const result = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as TrainResult)
    : await train(recipe, {
        out: TEACHER_RUN,
        recipeFolder: RECIPES,
        onEvent: (event) => {
          if (event.type === 'stage-end')
            log(`keywords-teacher: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
        },
      });
  return { result, labels: (recipe.data.source as unknown as { words: string[] }).words };
}

/** The same student for the same number of steps, on the labels of every clip. */
export async function withEveryLabel(seed: number, log: (line: string) => void): Promise<TrainResult> {
  const file = `${RECIPES}/keywords.yaml`;
  const overrides = ['data.labelsPerClass=all', `seed=${seed}`];
  return train(parseRecipe(readFileSync(file, 'utf8'), { file, overrides }), {
    out: `${RUNS}/proof/keywords-labels-seed-${seed}`,
    storeFolder: `${RUNS}/proof/.store`,
    recipeFolder: RECIPES,
    onEvent: (event) => {
      if (event.type === 'stage-end')
        log(`keywords-labels seed ${seed}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}

/** How many of the recordings a shipped classifier understands, of all. */
async function heardRight(folder: string): Promise<number> {
  const classify = await pipeline('audio-classification', folder, { dtype: 'fp32', local_files_only: true });
  const { id2label } = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as {
    id2label: Record<string, string>;
  };
  const recordings = recordingsOf(Object.values(id2label));
  let right = 0;
  for (const { word, file } of recordings) {
    const { samples, rate } = await decodeAudio({ path: `${ASTERISK_FOLDER}/${file}` }, { seconds: 10 });
    const [answer] = (await classify(resample(samples, rate, RATE), { top_k: 1 })) as { label: string }[];
    if (answer?.label === word) right++;
  }
  await classify.dispose();
  return right / recordings.length;
}
