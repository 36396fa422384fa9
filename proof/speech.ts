import type { RunResult } from '../src/index.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

type Model = RunResult['student'];

/** Silero VAD v5 teaches a small student, which hears the waveform, where somebody speaks. */
export const speech: Proof = {
  name: 'speech',
  title: 'Speech: where somebody speaks',
  async run(log) {
    const runs: RunResult[] = [];
    const plain: RunResult[] = [];
    for (const seed of SEEDS) {
      // Another seed mixes other recordings, and holds out others.
      const mixtures = `data.source.seed=${seed}`;
      runs.push(
        await distilRecipe({
          recipe: 'speech',
          name: 'speech',
          seed,
          overrides: [mixtures],
          log,
        }),
      );
      plain.push(
        await distilRecipe({
          recipe: 'speech',
          name: 'speech-plain',
          seed,
          overrides: [mixtures, 'objective=[{ kind: tokenKd, output: logits, weight: 1, temperature: 1 }]'],
          baseline: false,
          log,
        }),
      );
    }
    const of = (pick: (run: RunResult) => Model | null | undefined) => (run: RunResult) =>
      pick(run) ?? undefined;
    const teacher = of((run) => run.teacher);
    const student = of((run) => run.student);
    const baseline = of((run) => run.baselines?.find(({ taughtBy }) => taughtBy === 'labels')?.result);
    const kept = runs.map((run) => area(student(run)) / area(teacher(run)));
    const gains = runs.map((run) => area(student(run)) - area(baseline(run)));
    const sizes = runs.map((run) => (student(run)?.bytes ?? 0) / (teacher(run)?.bytes ?? 1));
    const times = runs.map((run) => (student(run)?.latencyMs.one ?? 0) / (teacher(run)?.latencyMs.one ?? 1));
    return {
      table: markdownTable([
        ['', 'AUROC of frames, %', 'frames right, %', 'size', 'one clip of 2 s'],
        row('teacher: Silero VAD v5', runs.map(teacher)),
        row('student', runs.map(student)),
        row('student, int8', runs.map(of((run) => run.studentInt8))),
        row('plain KD: the teacher alone, no labels', plain.map(student)),
        row('the student without a teacher', runs.map(baseline)),
      ]),
      text:
        `Mean ± standard deviation over ${runs.length} seeds; a seed mixes other recordings and holds out others. The truth is where the clean recordings have energy, which the mixtures do not show. ` +
        `10 of 700 training clips have labels; the teacher hears all of them. The student has ${percents(gains)} points more than the same student without it, at ${percents(sizes)} % of the teacher's size (which was rebuilt as one graph over whole clips) and ${percents(times)} % of its time.`,
      claims: [
        {
          text: `every student has at least 97 % of its teacher's AUROC (${percents(kept)} %)`,
          holds: Math.min(...kept) >= 0.97,
        },
        {
          text: 'every student is better than the same student without a teacher',
          holds: Math.min(...gains) > 0,
        },
        {
          text: 'every student takes at most a fifth of the time and of the size of its teacher',
          holds: Math.max(...times) <= 0.2 && Math.max(...sizes) <= 0.2,
        },
        {
          text: 'the gain is larger than the spread of the students',
          holds: spreadOf(gains).mean > spreadOf(runs.map((run) => area(student(run)))).deviation,
        },
      ],
    };
  },
};

function area(model: Model | undefined): number {
  return model?.metrics.frameAuroc ?? Number.NaN;
}

function row(name: string, models: readonly (Model | undefined)[]): string[] {
  const known = models.filter((model) => model !== undefined);
  return [
    name,
    percents(known.map(area)),
    percents(known.map(({ metrics }) => metrics.tokenAccuracy ?? Number.NaN)),
    `${Math.round(spreadOf(known.map(({ bytes }) => bytes)).mean / 1e3)} kB`,
    `${numbers(
      known.map(({ latencyMs }) => latencyMs.one),
      2,
    )} ms`,
  ];
}
