import { exitTaken } from '../../compress/exits/choose-thresholds.ts';
import type { Thresholds } from '../../compress/exits/with-conditions.ts';
import { shownExample } from '../../report/shown-example.ts';
import type { Section, ShownSample } from '../../report/targets/section.ts';
import { classesOf, type Head } from '../../targets/head.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import type { ExitAnswers } from './exit-answers.ts';

/** Examples that are shown of those who leave first, and of those who leave last. */
const EXAMPLES = 6;

/** Who leaves where, for the report: by class, and with examples of the surest who leave first and the least sure who leave last. */
export function exitBlocks(
  { recipe }: Pick<RunContext, 'recipe'>,
  { dataset, heads: [head], task }: TaskData,
  answers: ExitAnswers,
  thresholds: Thresholds,
  exits: readonly { readonly layer: string }[],
): Section {
  const { labels } = answers;
  const names = classesOf(head as Head);
  const taken = labels.map((_, sample) => exitTaken(answers, thresholds, sample));
  const titles = [...exits.map(({ layer }) => `after ${layer}`), 'at the end'];
  const rows = names.map((name, label) => {
    const own = labels.flatMap((one, sample) => (one === label ? [sample] : []));
    const part = (count: number) => (own.length === 0 ? null : count / own.length);
    const right = own.reduce(
      (sum, sample) => sum + (answers.right[taken[sample] as number]?.[sample] ?? 0),
      0,
    );
    const shares = titles.map((_, exit) => part(own.filter((sample) => taken[sample] === exit).length));
    return { name, shares, accuracy: part(right) };
  });
  rows.sort((a, b) => (b.shares[0] ?? 0) - (a.shares[0] ?? 0));
  const table: Section[number] = {
    block: 'table',
    title: 'Who leaves where',
    about: `By class: which part of its test ${task.unit} leaves at each exit, and how many are answered right.`,
    columns: [
      { title: 'Class', format: 'text' },
      ...titles.map((title) => ({ title: `Leaves ${title}`, format: 'percent' as const })),
      { title: 'Accuracy', format: 'percent' },
    ],
    rows: rows.map(({ name, shares, accuracy }) => [name, ...shares, accuracy]),
  };
  if (!recipe.report.examples) return [table];
  const sureness = (sample: number, exit: number) => answers.confidence[exit]?.[sample] ?? 0;
  const leaving = (exit: number) => labels.flatMap((_, sample) => (taken[sample] === exit ? [sample] : []));
  const first = taken.reduce((least, exit) => Math.min(least, exit), exits.length);
  const last = exits.length;
  const surest = leaving(first).sort((a, b) => sureness(b, first) - sureness(a, first));
  const leastSure = leaving(last).sort((a, b) => sureness(a, last - 1) - sureness(b, last - 1));
  const shown = (sample: number): ShownSample => {
    const exit = taken[sample] as number;
    return {
      ...shownExample(dataset.splits.test.example(answers.ordinals[sample] as number)),
      said: [
        { who: 'truth', words: names[labels[sample] as number] ?? '' },
        { who: 'student', words: names[answers.answers[exit]?.[sample] as number] ?? '' },
      ],
    };
  };
  const samples = (title: string, about: string, chosen: readonly number[]): Section => [
    { block: 'samples', title, about, samples: chosen.slice(0, EXAMPLES).map(shown) },
  ];
  return [
    table,
    ...(first < last
      ? samples('They leave first', `The surest of those that leave ${titles[first]}.`, surest)
      : []),
    ...samples(
      'They leave last',
      'The least sure at the last exit, of those that go on to the end.',
      leastSure,
    ),
  ];
}
