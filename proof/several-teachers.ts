import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accuracyOf, type RunResult } from '../src/index.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { percents, spreadOf } from './statistics.ts';
import { trainedRecipe } from './trained-recipe.ts';

const RUNS = fileURLToPath(new URL('../runs/proof', import.meta.url));
const WEIGHTS = ['validation', 'equal', 'confidence', 'agreement'] as const;

/** Two teachers from the same labels, of different kinds and with different tokenizers, teach together. */
export const severalTeachers: Proof = {
  name: 'several-teachers',
  title: 'Several teachers',
  async run(log) {
    const runs = new Map<string, RunResult[]>();
    const keep = (name: string, run: RunResult) => runs.set(name, [...(runs.get(name) ?? []), run]);
    for (const seed of SEEDS) {
      // Each seed divides the data anew: no teacher is one that comes along.
      const splits = `data.splits.seed=${seed}`;
      // The first teacher, and the student that it teaches alone, without the assistant that is the recipe's own trick.
      const first = await distilRecipe({
        recipe: 'glosses',
        name: 'several-first',
        seed,
        overrides: ['objective.kd={ weight: 0.9, temperature: 1 }', splits],
        baseline: false,
        log,
      });
      const firstFolder = join(RUNS, `several-first-seed-${seed}`);
      const second = join(RUNS, `several-second-seed-${seed}`);
      await trainedRecipe({
        recipe: 'glosses-teacher',
        overrides: [`seed=${seed}`, splits],
        out: second,
        log,
      });
      const { id2label } = JSON.parse(readFileSync(join(firstFolder, 'student/config.json'), 'utf8')) as {
        id2label: Record<string, string>;
      };
      const teachers = [
        {
          kind: 'onnx',
          model: join(firstFolder, 'teacher/model.onnx'),
          tokenizer: join(firstFolder, 'student/tokenizer.json'),
          labels: Object.values(id2label),
        },
        { kind: 'onnx', model: join(second, 'student') },
      ];
      keep('first alone', first);
      for (const weights of WEIGHTS) {
        const overrides = [
          `teacher.teachers=${JSON.stringify(teachers)}`,
          `teacher.weights=${weights}`,
          splits,
        ];
        keep(
          weights,
          await distilRecipe({
            recipe: 'glosses-several',
            name: `several-${weights}`,
            seed,
            overrides,
            baseline: weights === 'validation',
            log,
          }),
        );
      }
    }
    const of = (name: string) => runs.get(name) as RunResult[];
    const students = (name: string) => of(name).map(({ student }) => accuracyOf(student));
    const together = (name: string) => of(name).map(({ teachers }) => teachers?.together ?? Number.NaN);
    const member = (i: number) =>
      of('validation').map(({ teachers }) => teachers?.members[i]?.accuracy ?? Number.NaN);
    const rows = WEIGHTS.map(
      (name) => `| both, ${name} | ${percents(together(name))} | ${percents(students(name))} |`,
    );
    const best = member(0).map((value, i) => Math.max(value, member(1)[i] as number));
    const gains = difference(together('validation'), best);
    const anyRight = of('validation').map(({ teachers }) => teachers?.anyRight ?? Number.NaN);
    const disagreement = of('validation').map(({ teachers }) => teachers?.disagreement ?? Number.NaN);
    const studentGains = difference(students('validation'), students('first alone'));
    const equalGains = difference(together('equal'), together('validation'));
    const equalStudentGains = difference(students('validation'), students('equal'));
    return {
      table: [
        '| teacher | its accuracy, % | its student, % |',
        '|---|---|---|',
        `| the sentence encoder with its head | ${percents(member(0))} | ${percents(students('first alone'))} |`,
        `| n-grams with a vocabulary of their own | ${percents(member(1))} | |`,
        ...rows,
      ].join('\n'),
      text:
        `Mean ± standard deviation over ${SEEDS.length} seeds, 8,000 test glosses; both teachers learnt from the same 100 labels a class. ` +
        `They disagree on ${percents(disagreement)} % of the test glosses, and one of them is right on ${percents(anyRight)} %. ` +
        `Together, with weights by validation, they are ${percents(gains)} points better than the better one alone, and their student is ${percents(studentGains)} points better than that of the first alone. ` +
        `Equal weights are ${percents(equalGains)} points better than those by validation, and their student is ${percents(equalStudentGains)} points below: here the mixture that is right more often is not the better teacher.`,
      claims: [
        {
          text: 'with weights by validation two teachers are at most half a point worse than the better one',
          holds: spreadOf(gains).mean > -0.005,
        },
        {
          text: `so is their student, beside that of the first alone (${percents(studentGains)} points)`,
          holds: spreadOf(studentGains).mean > -0.005,
        },
      ],
    };
  },
};

function difference(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, i) => value - (others[i] as number));
}
