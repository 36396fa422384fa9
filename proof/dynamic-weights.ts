import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { accuracyOf } from '../src/index.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

/** Ways to weigh the terms of one objective, and plain KD, which all are compared with. */
const WEIGHTINGS = ['fixed', 'dynamic', 'uncertainty', 'gradient-norms'] as const;
const PLAIN = [
  'objective={kd: {weight: 0.7, temperature: 2}, labels: {weight: 0.1}}',
  'stages=false',
  'training.curriculum={kind: none}',
];

interface Curve {
  readonly steps: readonly number[];
  readonly accuracy: readonly number[];
  readonly test: number;
}

/** How many steps each way of weighing takes to plain KD's final validation accuracy. */
export const dynamicWeights: Proof = {
  name: 'dynamic-weights',
  title: 'Dynamic weights: steps to the accuracy of plain KD, glosses',
  async run(log) {
    const measure = async (key: string, overrides: readonly string[]) => {
      const curves: Curve[] = [];
      for (const seed of SEEDS) {
        const name = `weights-${key}`;
        const { student } = await distilRecipe({
          recipe: 'glosses-knowledge',
          name,
          seed,
          overrides: [
            ...overrides,
            'knowledge.graph=false',
            'export.int8=false',
            'training.evaluateEvery=25',
          ],
          baseline: false,
          log,
        });
        curves.push({ ...validationCurve(`${name}-seed-${seed}`), test: accuracyOf(student) });
      }
      return curves;
    };
    const plain = await measure('kd', PLAIN);
    const finals = plain.map(({ accuracy }) => accuracy.at(-1) as number);
    const bests = plain.map(({ accuracy }) => Math.max(...accuracy));
    const others = new Map<string, Curve[]>();
    for (const kind of WEIGHTINGS)
      others.set(kind, await measure(kind, ['stages=false', `weighting={kind: ${kind}}`]));
    const parts = (curves: readonly Curve[], wanted = finals) =>
      curves.map((curve, seed) => partOfSteps(curve, wanted[seed] as number));
    const row = (title: string, curves: readonly Curve[]) => [
      title,
      percents(parts(curves)),
      percents(parts(curves, bests)),
      percents(curves.map(({ accuracy }) => accuracy.at(-1) as number)),
      percents(curves.map(({ test }) => test)),
    ];
    const dynamic = spreadOf(parts(others.get('dynamic') as Curve[]));
    return {
      table: markdownTable([
        [
          '',
          "steps to plain KD's final validation accuracy, %",
          'to its best, %',
          'validation accuracy, %',
          'test accuracy, %',
        ],
        row('plain KD', plain),
        ...[...others].map(([kind, curves]) => row(`all levels, ${kind} weights`, curves)),
      ]),
      text:
        'All train on the same samples for as many steps, and are evaluated every 25. 100 % is the number of steps of plain KD; a run that does not get there counts as 100 %. ' +
        'Plain KD is level before its end: it is at its final accuracy long before its last step by itself, so its own row is what the others are to be held against. ' +
        'Mean ± standard deviation over 3 seeds.',
      claims: [
        {
          text: `dynamic weights reach plain KD's final validation accuracy in at most 60 % of its steps on average`,
          holds: dynamic.mean <= 0.6,
        },
      ],
    };
  },
};

/** The part of the steps after which an accuracy was reached for the first time; 1 when it never was. */
function partOfSteps({ steps, accuracy }: Curve, wanted: number): number {
  const reached = accuracy.findIndex((value) => value >= wanted);
  return reached < 0 ? 1 : (steps[reached] as number) / (steps.at(-1) as number);
}

function validationCurve(run: string): Pick<Curve, 'steps' | 'accuracy'> {
  const file = fileURLToPath(new URL(`../runs/proof/${run}/metrics.jsonl`, import.meta.url));
  const rows = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | string>)
    .filter(({ stage }) => stage === 'train');
  return {
    steps: rows.map(({ step }) => Number(step)),
    accuracy: rows.map((row) => Number(row['validation/accuracy'])),
  };
}
