import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/engine/node.ts';
import { parseRecipe, train } from '../src/index.ts';
import type { AnswersResult } from '../src/report/answers-result.ts';
import { openUseLite } from '../src/teachers/use-lite/open.ts';
import { distilRecipe } from './distil-recipe.ts';
import { measurePairs, type PairNumbers, pairsPerSecond, vendorEmoji } from './emoji-pairs.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));
const RUNS = fileURLToPath(new URL('../runs', import.meta.url));
const PROOFS = join(RUNS, 'proof');

/** l_text, l_image and l_cross of the recipe, by the losses that they are. */
const TERMS = {
  text: ({ kind, output }: Term) => kind === 'cosineKd' && output === 'text_embeds',
  image: ({ kind, output }: Term) => kind === 'cosineKd' && output === 'image_embeds',
  cross: ({ outputs }: Term) => outputs !== undefined,
};

interface Term {
  readonly kind: string;
  readonly output?: string;
  readonly outputs?: readonly string[];
}

/** What is distilled beside the recipe as it is: without one of its terms. */
const ABLATIONS = [
  { name: 'no-text', title: 'without l_text', without: TERMS.text },
  { name: 'no-image', title: 'without l_image', without: TERMS.image },
  { name: 'no-cross', title: 'plain KD: without l_cross', without: TERMS.cross },
] as const;

const ROWS = [
  ['teacher', 'teacher: USE lite with a trained layer, and a MobileNetV3'],
  ['student', 'student'],
  ...ABLATIONS.map(({ name, title }) => [name, title] as const),
  ['alone', 'baseline: the student without a teacher'],
] as const;

interface Measured {
  readonly google: PairNumbers;
  readonly twitter: PairNumbers;
  readonly pairsPerSecond: number;
}

/** Texts and drawings of emoji in one space: a teacher trained by us, and two small towers that learn from both of its. */
export const emoji: Proof = {
  name: 'emoji',
  title: 'Emoji: texts and images in one space',
  async run(log) {
    const teacher = await trainedTeacher(log);
    const runs: Record<string, Measured>[] = [];
    for (const seed of SEEDS) runs.push(await emojiSeed(seed, teacher, log));
    const of = (name: string, pick: (measured: Measured) => number) =>
      runs.map((run) => pick(run[name] as Measured));
    const cells = (name: string) => [
      percents(of(name, ({ google }) => google.textToImage1)),
      percents(of(name, ({ google }) => google.textToImage10)),
      percents(of(name, ({ google }) => google.imageToText1)),
      percents(of(name, ({ google }) => google.imageToText10)),
      percents(of(name, ({ google }) => google.groups)),
      percents(of(name, ({ twitter }) => twitter.recall10)),
      percents(of(name, ({ twitter }) => twitter.groups)),
      numbers(
        of(name, (measured) => measured.pairsPerSecond),
        0,
      ),
    ];
    const head = [
      '',
      'images by texts @1',
      '@10',
      'texts by images @1',
      '@10',
      'groups',
      'other vendor @10',
      'groups',
      'pairs a second',
    ];
    const recalls = (name: string) => of(name, ({ google }) => google.recall10);
    const kept = runs.map((run) => run.student!.google.recall10 / run.teacher!.google.recall10);
    const faster = runs.map((run) => run.student!.pairsPerSecond / run.teacher!.pairsPerSecond);
    const gains = (name: string) => runs.map((run, i) => recalls('student')[i]! - run[name]!.google.recall10);
    return {
      table: markdownTable([head, ...ROWS.map(([name, title]) => [title, ...cells(name)])]),
      text:
        `Percent of the emoji that no training saw (247 of 1,644; chance at 10 is 4 %), which are drawn by Google as in training, or by Twitter (\`other vendor\`: the mean of both ways). \`groups\`: how often a drawing is nearest to the name of its group, of nine, of which no training was told. Mean ± standard deviation over ${SEEDS.length} seeds of the students: the teacher was trained once, and the same emoji are held out throughout, so that what another split would change is not in the spread. ` +
        `The student keeps ${percents(kept)} % of the teacher's recall@10 (both ways) at ${numbers(faster, 1)} times its throughput (by the time on the processor, one thread, 32 pairs at once), and has ${percents(gains('alone'))} points more than the same student without a teacher, which learns from the same pairs by InfoNCE.`,
      claims: [
        {
          text: "the student keeps at least 92 % of the teacher's recall@10",
          holds: spreadOf(kept).mean >= 0.92,
        },
        { text: 'at 15 times the throughput', holds: spreadOf(faster).mean >= 15 },
        {
          text: 'it is above the same student without a teacher by more than the spread of the difference',
          holds: spreadOf(gains('alone')).mean > spreadOf(gains('alone')).deviation,
        },
        ...ABLATIONS.map(({ name, title }) => ({
          text: `it is not below the student ${title}`,
          holds: spreadOf(gains(name)).mean >= 0,
        })),
      ],
    };
  },
};

/** All students of a seed: the recipe's, and without each of its terms. What is finished is not done again. */
async function emojiSeed(
  seed: number,
  teacher: string,
  log: (line: string) => void,
): Promise<Record<string, Measured>> {
  await distilRecipe<AnswersResult>({ recipe: 'emoji', name: 'emoji', seed, baseline: false, log });
  const run = (name: string) => join(PROOFS, `${name}-seed-${seed}`);
  // The baseline learns as long as the student, from the same views of the same pairs.
  await trained({ recipe: 'emoji', overrides: [`seed=${seed}`], out: run('emoji-alone'), log });
  for (const { name, without } of ABLATIONS) {
    await distilRecipe<AnswersResult>({
      recipe: 'emoji',
      name: `emoji-${name}`,
      seed,
      overrides: [`objective=${JSON.stringify(objectiveWithout(without))}`],
      baseline: false,
      log,
    });
  }
  const folders: Record<string, string> = {
    teacher,
    student: join(run('emoji'), 'student'),
    alone: join(run('emoji-alone'), 'student'),
    ...Object.fromEntries(ABLATIONS.map(({ name }) => [name, join(run(`emoji-${name}`), 'student')])),
  };
  return measured(`${run('emoji')}.json`, folders);
}

/** What the files that were shipped do, on both vendors' drawings. */
async function measured(
  file: string,
  folders: Readonly<Record<string, string>>,
): Promise<Record<string, Measured>> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Measured>;
  const engine = createNodeEngine();
  const { tokenizer } = await openUseLite();
  const context = { tokenizer, shipped: folders.teacher as string, folder: PROOFS };
  const google = await vendorEmoji('google', context);
  const twitter = await vendorEmoji('twitter', context);
  const results: Record<string, Measured> = {};
  try {
    for (const [name, folder] of Object.entries(folders)) {
      const model = join(folder, 'onnx', 'model.onnx');
      const session = await engine.load(model);
      try {
        results[name] = {
          google: await measurePairs(session, google),
          twitter: await measurePairs(session, twitter),
          pairsPerSecond: await pairsPerSecond(engine, model, google),
        };
      } finally {
        await session.release();
      }
    }
  } finally {
    for (const { dataset } of [google, twitter]) dataset.close();
  }
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

/** The folder that `limbeck train recipes/emoji-teacher.yaml` left; trained now, where it did not run. */
async function trainedTeacher(log: (line: string) => void): Promise<string> {
  const out = join(RUNS, 'emoji-teacher');
  await trained({ recipe: 'emoji-teacher', overrides: [], out, log });
  return join(out, 'student');
}

/** Trains a recipe on its pairs alone, where that is not done. */
async function trained(options: {
  readonly recipe: string;
  readonly overrides: readonly string[];
  readonly out: string;
  log(line: string): void;
}): Promise<void> {
  const { recipe: name, overrides, out, log } = options;
  if (existsSync(join(out, 'result.json'))) return;
  const file = join(RECIPES, `${name}.yaml`);
  await train(parseRecipe(readFileSync(file, 'utf8'), { file, overrides }), {
    out,
    recipeFolder: RECIPES,
    onEvent: (event) => {
      if (event.type === 'stage-end')
        log(`${basename(out)}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}

/** The recipe's objective without some of its terms. */
function objectiveWithout(left: (term: Term) => boolean): Term[] {
  const file = join(RECIPES, 'emoji.yaml');
  const { objective } = parseRecipe(readFileSync(file, 'utf8'), { file });
  return (objective as unknown as Term[]).filter((term) => !left(term));
}
