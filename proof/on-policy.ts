import { readFileSync } from 'node:fs';
import type { RunResult } from '../src/index.ts';
import { askQuestions, WORDNET_QUESTIONS } from '../src/run/ask-questions.ts';
import { distilRecipe, variantRun } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

/** Training documents, and passes over them: some 50 steps each. */
const DOCUMENTS = 3200;
const EPOCHS = 6;
/** The same for both ways: a training as it would be, in a few hundred steps. */
const SMALL = [
  `data.splits.train=${DOCUMENTS}`,
  `training.epochs=${EPOCHS}`,
  'training.evaluateEvery=50',
  'training.earlyStopping=false',
  'export.int8=false',
];
const QUESTIONS = Object.keys(WORDNET_QUESTIONS);

interface Measured {
  readonly result: RunResult;
  /** The share of questions answered rightly, above chance, by kind. */
  readonly asked: Readonly<Record<string, number>>;
  /** The last row of its training that tells of texts. */
  readonly written: Readonly<Record<string, number>> | undefined;
}

/** recipes/lm-on-policy.yaml beside recipes/lm.yaml: the same first half of a training, then texts of the student or documents alone. */
export const onPolicy: Proof = {
  name: 'on-policy',
  title: 'On-policy distillation: a language model learns from what its teacher says of its own texts',
  async run(log) {
    const ways = { off: [] as Measured[], on: [] as Measured[] };
    for (const seed of SEEDS) {
      ways.off.push(await measured('lm', 'off-policy', seed, log));
      ways.on.push(await measured('lm-on-policy', 'on-policy', seed, log));
    }
    const perplexity = (runs: readonly Measured[]) =>
      runs.map(({ result }) => result.student.metrics.perplexity as number);
    const row = (title: string, runs: readonly Measured[]) => [
      title,
      numbers(perplexity(runs), 1),
      ...QUESTIONS.map((kind) => percents(runs.map(({ asked }) => asked[kind] as number))),
    ];
    const lost = perplexity(ways.on).map((value, i) => value / (perplexity(ways.off)[i] as number) - 1);
    const gained = ways.on.map(({ asked }, i) => meanOf(asked) - meanOf((ways.off[i] as Measured).asked));
    const [first] = ways.on;
    const { teacher, student } = (first as Measured).result;
    const written = ways.on.flatMap((one) => (one.written ? [one.written] : []));
    const steps = (EPOCHS * DOCUMENTS) / 64;
    return {
      table: markdownTable([
        [
          'the second half of the steps',
          'test perplexity',
          ...QUESTIONS.map((kind) => `${kind}, % above chance`),
        ],
        row('documents alone (off-policy)', ways.off),
        row('every other one the texts of the student (on-policy)', ways.on),
      ]),
      text:
        `${SEEDS.length} seeds, about ${steps} steps of 64 texts over ${DOCUMENTS} entries of WordNet, the first half of them the same to the bit. The student has ${student.parameters.toLocaleString('en')} parameters; ` +
        `its teacher (models/wordnet-lm, int8) has a perplexity of ${teacher?.metrics.perplexity?.toFixed(1)}. Both ways learn from 24 draws of the teacher's answer for each token, and from the text where there is one. ` +
        `At the end the student's texts have ${numbers(
          written.map((one) => one['on_policy/tokens'] as number),
          1,
        )} tokens behind their beginnings, ${percents(written.map((one) => one['on_policy/repetition'] as number))} % of their stretches of four tokens repeat; ` +
        `${percents(written.map((one) => one['on_policy/writing'] as number))} % of the time goes into writing, ${percents(written.map((one) => one['on_policy/judging'] as number))} % into the teacher. Questions: 1,000 of each kind about nouns that neither was trained on (\`limbeck ask\`).`,
      claims: [
        {
          text: `texts of its own cost the student at most 3 % in perplexity towards texts of people (${percents(lost)} %)`,
          holds: spreadOf(lost).mean <= 0.03,
        },
        {
          text: `it answers questions no worse, the three kinds together within a point (${percents(gained)} points)`,
          holds: spreadOf(gained).mean >= -0.01,
        },
      ],
    };
  },
};

async function measured(
  recipe: string,
  name: string,
  seed: number,
  log: (line: string) => void,
): Promise<Measured> {
  const variant = { recipe, name, seed, overrides: SMALL };
  const result = await distilRecipe({ ...variant, baseline: false, timingSeconds: 0.3, log });
  const { out } = variantRun(variant);
  const asked: Record<string, number> = {};
  for (const kind of QUESTIONS) {
    asked[kind] = (await askQuestions(out, { questions: kind })).byInformation?.aboveChance ?? Number.NaN;
    log(`${name} seed ${seed}: ${kind} ${(100 * (asked[kind] as number)).toFixed(1)} % above chance`);
  }
  const rows = readFileSync(`${out}/metrics.jsonl`, 'utf8').trim().split('\n');
  const written = rows.map((row) => JSON.parse(row)).findLast((row) => 'on_policy/tokens' in row);
  return { result, asked, written };
}

function meanOf(values: Readonly<Record<string, number>>): number {
  return spreadOf(Object.values(values)).mean;
}
