import { accuracyOf, type RunResult } from '../src/index.ts';
import { distilRecipe } from './distil-recipe.ts';
import type { Claim, Proof, ProofResult } from './proof.ts';
import { SEEDS } from './proof.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

/** A part of what a recipe teaches, and what leaves it out. */
interface Level {
  readonly name: string;
  /** Overrides of the recipe that switch it off. */
  readonly off: readonly string[];
}

/** One line of the table. */
interface Variant {
  readonly title: string;
  readonly key: string;
  readonly overrides: readonly string[];
}

/** A recipe with all levels of knowledge, and how to take them away one by one. */
export interface LevelsProof {
  readonly name: string;
  readonly title: string;
  readonly recipe: string;
  /** Names its runs, which proofs of the same variants share. */
  readonly runs: string;
  readonly levels: readonly Level[];
  /** The recipe with the other schedule: at once where it has stages, in stages where it has none. */
  readonly otherSchedule: Variant;
  /** How the weights of the losses were found. */
  readonly weights: string;
  /** Keys of the variants that are run; all when absent. */
  readonly only?: readonly string[];
}

const weightless = (...objectives: readonly string[]) =>
  objectives.map((objective) => `objective.${objective}.weight=0`);
const meta: Level = { name: 'meta (easy samples first)', off: ['training.curriculum={kind: none}'] };

const glosses: Omit<LevelsProof, 'name' | 'title'> = {
  recipe: 'glosses-knowledge',
  runs: 'levels-glosses',
  levels: [
    { name: 'token (attention)', off: weightless('attention') },
    { name: 'sequence (hidden states)', off: weightless('hidden', 'featureMse') },
    { name: 'task (reasons, boundaries)', off: weightless('attribution', 'boundary') },
    meta,
  ],
  otherSchedule: {
    title: 'all at once, without stages',
    key: 'at-once',
    overrides: ['stages=false'],
  },
  weights: 'The weights of the losses are first guesses, which nothing was tuned for.',
};

/** Every level of knowledge by itself, all together, and each left out, on texts. */
export const glossLevels = levelsProof({
  ...glosses,
  name: 'levels-glosses',
  title: 'Levels of knowledge: glosses',
});

/** The quarter of it that tells whether inner knowledge is worth anything. */
export const glossKnowledge = levelsProof({
  ...glosses,
  name: 'knowledge-glosses',
  title: 'All levels of knowledge against plain KD: glosses',
  only: ['kd', 'all', 'at-once'],
});

const pictures: Omit<LevelsProof, 'name' | 'title'> = {
  recipe: 'fashion-knowledge',
  runs: 'levels-fashion',
  levels: [
    { name: 'token (where channels look)', off: weightless('attentionTransfer') },
    { name: 'sequence (features)', off: weightless('featureMse', 'similarity') },
    { name: 'task (reasons, boundaries)', off: weightless('attribution', 'boundary') },
    meta,
  ],
  otherSchedule: {
    title: 'all, in three stages',
    key: 'in-stages',
    overrides: ['stages=progressive'],
  },
  weights:
    'The weights of the inner losses were chosen on the validation split, from some twenty settings with seeds 1 and 2; ' +
    'those of plain KD and the labels are what they were before.',
};

/** Every level of knowledge by itself, all together, and each left out, on images. */
export const fashionLevels = levelsProof({
  ...pictures,
  name: 'levels-fashion',
  title: 'Levels of knowledge: Fashion-MNIST',
});

/** The quarter of it that tells whether inner knowledge is worth anything. */
export const fashionKnowledge = levelsProof({
  ...pictures,
  name: 'knowledge-fashion',
  title: 'All levels of knowledge against plain KD: Fashion-MNIST',
  only: ['kd', 'all', 'in-stages'],
});

function levelsProof({
  name,
  title,
  recipe,
  runs: stem,
  levels,
  otherSchedule,
  weights,
  only,
}: LevelsProof): Proof {
  const off = (chosen: readonly Level[]) => chosen.flatMap((level) => level.off);
  const all: readonly Variant[] = [
    { title: 'plain KD', key: 'kd', overrides: off(levels) },
    ...levels.map((level) => ({
      title: `KD + ${level.name}`,
      key: `only-${keyOf(level)}`,
      overrides: off(levels.filter((other) => other !== level)),
    })),
    { title: 'all', key: 'all', overrides: [] },
    { title: 'all, weights trained', key: 'dynamic', overrides: ['weighting={kind: dynamic}'] },
    {
      title: 'all, layers chosen by the knowledge graph',
      key: 'graph',
      overrides: ['knowledge={layers: graph, graph: true}'],
    },
    otherSchedule,
    ...levels.map((level) => ({
      title: `all without ${level.name}`,
      key: `without-${keyOf(level)}`,
      overrides: off([level]),
    })),
  ];
  const variants = all.filter(({ key }) => !only || only.includes(key));
  return {
    name,
    title,
    async run(log) {
      const runs = new Map<string, RunResult[]>();
      for (const { key, overrides } of variants) {
        const found: RunResult[] = [];
        for (const seed of SEEDS) {
          found.push(
            await distilRecipe({
              recipe,
              name: `${stem}-${key}`,
              seed,
              overrides: ['knowledge.graph=false', 'export.int8=false', ...overrides],
              baseline: key === 'kd',
              log,
            }),
          );
        }
        runs.set(key, found);
      }
      return result(variants, runs, weights);
    },
  };
}

function result(
  variants: readonly Variant[],
  runs: ReadonlyMap<string, readonly RunResult[]>,
  weights: string,
): ProofResult {
  const accuracies = (key: string) => (runs.get(key) ?? []).map(({ student }) => accuracyOf(student));
  const plain = accuracies('kd');
  const gainsOf = (values: readonly number[]) => values.map((value, seed) => value - (plain[seed] as number));
  const signed = (values: readonly number[]) => {
    const { mean, deviation } = spreadOf(values.map((value) => 100 * value));
    return `${mean < 0 ? '-' : '+'}${Math.abs(mean).toFixed(1)} ± ${deviation.toFixed(1)}`;
  };
  const trainSeconds = (results: readonly RunResult[]) =>
    spreadOf(results.map(({ seconds }) => seconds.train ?? 0)).mean;
  const row = (title: string, values: readonly number[], seconds: number) => [
    title,
    percents(values),
    signed(gainsOf(values)),
    seconds > 0 ? `${seconds.toFixed(0)} s` : '',
  ];
  const first = runs.get('kd') as readonly RunResult[];
  const table = markdownTable([
    ['', 'accuracy, %', 'against plain KD, points', 'training'],
    row(
      'teacher',
      first.map(({ teacher }) => accuracyOf(teacher)),
      0,
    ),
    row(
      'no teacher',
      first.map(({ baseline }) => (baseline ? accuracyOf(baseline) : Number.NaN)),
      0,
    ),
    ...variants.map(({ title, key }) => row(title, accuracies(key), trainSeconds(runs.get(key) ?? []))),
  ]);
  const gain = spreadOf(gainsOf(accuracies('all')));
  const claims: Claim[] = [
    {
      text: 'all levels together beat plain KD by more than the spread of the gain',
      holds: gain.mean > gain.deviation,
    },
    {
      text: 'plain KD beats the student without a teacher in every seed',
      holds: first.every(
        ({ student, baseline }) => accuracyOf(student) > (baseline ? accuracyOf(baseline) : 1),
      ),
    },
  ];
  const text =
    'Accuracy on the test split, mean ± standard deviation over 3 seeds; a seed draws other samples, another split and other initial weights. ' +
    'Gains are differences to plain KD with the same seed. ' +
    weights;
  return { table, text, claims };
}

function keyOf({ name }: Level): string {
  return name.split(' ', 1)[0] as string;
}
