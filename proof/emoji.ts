import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/engine/node.ts';
import { parseRecipe } from '../src/index.ts';
import { openUseLite } from '../src/teachers/use-lite/open.ts';
import { distilRecipe } from './distil-recipe.ts';
import { measurePairs, type PairNumbers, pairsPerSecond, vendorEmoji } from './emoji-pairs.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';
import { trainedRecipe } from './trained-recipe.ts';

const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));
const RUNS = fileURLToPath(new URL('../runs', import.meta.url));
const PROOFS = join(RUNS, 'proof');

/** The teacher that this proof trains, in the place of the one that comes along. */
const OWN_TEACHER = [
  'teacher.model=../runs/emoji-teacher/student',
  'inputs.image.preprocessor=../runs/emoji-teacher/student/preprocessor_config.json',
];

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

/** The seeds whose terms are left out: one, for each term of each seed takes a training. */
const ABLATED: readonly number[] = SEEDS;

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
      runs.flatMap(({ [name]: measured }) => (measured ? [pick(measured)] : []));
    const cells = (name: string) => [
      share(of(name, ({ google }) => google.textToImage1)),
      share(of(name, ({ google }) => google.textToImage10)),
      share(of(name, ({ google }) => google.imageToText1)),
      share(of(name, ({ google }) => google.imageToText10)),
      share(of(name, ({ google }) => google.groups)),
      share(of(name, ({ twitter }) => twitter.recall10)),
      share(of(name, ({ twitter }) => twitter.groups)),
      spreadOf(of(name, (measured) => measured.pairsPerSecond)).mean.toFixed(0),
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
    const kept = runs.map((run) => run.student!.google.recall10 / run.teacher!.google.recall10);
    const faster = runs.map((run) => run.student!.pairsPerSecond / run.teacher!.pairsPerSecond);
    const gains = (name: string) =>
      runs.flatMap(({ student, [name]: other }) =>
        student && other ? [student.google.recall10 - other.google.recall10] : [],
      );
    return {
      table: markdownTable([head, ...ROWS.map(([name, title]) => [title, ...cells(name)])]),
      text:
        `Percent of 247 emoji (of 1,644) that no training saw; chance at 10 is 4 %. They are drawn by Google, as those of the training are, or by another vendor, Twitter (the mean of both ways). Groups: how often a drawing is nearest to the name of its group, of nine; no training was told of groups. Mean ± standard deviation over ${SEEDS.length} seeds of the students. The teacher was trained once and the same emoji are always held out, so that the spread does not tell what another teacher or split would change. Terms were left out with ${ABLATED.length} ${ABLATED.length === 1 ? 'seed' : 'seeds'}. ` +
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
          text: `it is not below the student ${title} (${gains(name).length} of ${SEEDS.length} seeds)`,
          holds: spreadOf(gains(name)).mean >= 0,
        })),
      ],
    };
  },
};

/** Of one run there is no spread. */
function share(values: readonly number[]): string {
  return values.length === 1 ? (100 * (values[0] as number)).toFixed(1) : percents(values);
}

/** All students of a seed: the recipe's, and without each of its terms. What is finished is not done again. */
async function emojiSeed(
  seed: number,
  teacher: string,
  log: (line: string) => void,
): Promise<Record<string, Measured>> {
  const run = (name: string) => join(PROOFS, `${name}-seed-${seed}`);
  const distilled = async (name: string, overrides: readonly string[] = []) => {
    if (existsSync(join(run(name), 'result.json'))) return;
    await distilRecipe({
      recipe: 'emoji',
      name,
      seed,
      overrides: [...OWN_TEACHER, ...overrides],
      baseline: false,
      log,
    });
  };
  await distilled('emoji');
  // The baseline learns as long as the student, from the same views of the same pairs.
  await trainedRecipe({
    recipe: 'emoji',
    overrides: [...OWN_TEACHER, `seed=${seed}`],
    out: run('emoji-alone'),
    log,
  });
  const ablations = ABLATED.includes(seed) ? ABLATIONS : [];
  for (const { name, without } of ablations)
    await distilled(`emoji-${name}`, [`objective=${JSON.stringify(objectiveWithout(without))}`]);
  const folders: Record<string, string> = {
    teacher,
    student: join(run('emoji'), 'student'),
    alone: join(run('emoji-alone'), 'student'),
    ...Object.fromEntries(ablations.map(({ name }) => [name, join(run(`emoji-${name}`), 'student')])),
  };
  return measured(`${run('emoji')}.json`, folders);
}

/** What the files that were shipped do, on both vendors' drawings. */
async function measured(
  file: string,
  folders: Readonly<Record<string, string>>,
): Promise<Record<string, Measured>> {
  const results: Record<string, Measured> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const missing = Object.entries(folders).filter(([name]) => !results[name]);
  if (missing.length === 0) return results;
  const engine = createNodeEngine();
  const { tokenizer } = await openUseLite();
  const context = { tokenizer, shipped: folders.teacher as string, folder: PROOFS };
  const google = await vendorEmoji('google', context);
  const twitter = await vendorEmoji('twitter', context);
  try {
    for (const [name, folder] of missing) {
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
      writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
    }
  } finally {
    for (const { dataset } of [google, twitter]) dataset.close();
  }
  return results;
}

/** The folder that `limbeck train recipes/emoji-teacher.yaml` left; trained now, where it did not run. */
async function trainedTeacher(log: (line: string) => void): Promise<string> {
  const out = join(RUNS, 'emoji-teacher');
  await trainedRecipe({ recipe: 'emoji-teacher', overrides: [], out, log });
  return join(out, 'student');
}

/** The recipe's objective without some of its terms. */
function objectiveWithout(left: (term: Term) => boolean): Term[] {
  const file = join(RECIPES, 'emoji.yaml');
  const { objective } = parseRecipe(readFileSync(file, 'utf8'), { file });
  return (objective as unknown as Term[]).filter((term) => !left(term));
}
