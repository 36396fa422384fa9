import { KeptRows } from '../../metrics/kept-rows.ts';
import { outputRows } from '../../metrics/output-rows.ts';
import { DrawnSamples } from './drawn-samples.ts';
import type { Said, SectionCollector, SectionContext, Speaker } from './section.ts';

/** Points that are drawn, for each model. */
const MOST_POINTS = 500;

/** Answers over the truth, and the samples with some of them. */
export function numberSection({ head, seed, examples }: SectionContext): SectionCollector {
  const points = new Map<Speaker, KeptRows>();
  const drawn = new DrawnSamples(seed, examples);
  return {
    add(answers, batch, example) {
      for (const [who, answer] of answers) {
        const own = points.get(who) ?? new KeptRows(2, 2 * MOST_POINTS);
        points.set(who, own);
        for (const row of outputRows(answer, batch, head)) own.add(row.truth, row.answer);
      }
      const read = [...answers].map(
        ([who, answer]) =>
          [who, new Map([...outputRows(answer, batch, head)].map((row) => [row.ordinal, row]))] as const,
      );
      for (const { ordinal, truth } of read[0]?.[1].values() ?? []) {
        drawn.offer(() => ({
          ...example(ordinal),
          said: [
            { who: 'truth', words: shown(truth[0]) },
            ...read.map(([who, rows]): Said => ({ who, words: shown(rows.get(ordinal)?.answer[0]) })),
          ],
        }));
      }
    },
    section: () => [
      {
        block: 'scatter',
        title: 'Answers over the truth',
        about: 'A point a test sample; on the dotted diagonal an answer is right.',
        x: 'truth',
        y: 'answer',
        series: [...points].map(([who, rows]) => ({
          name: who,
          color: who,
          points: Array.from({ length: Math.min(rows.length, MOST_POINTS) }, (_, i) => {
            const row = rows.row(i);
            return [row[0] as number, row[1] as number] as [number, number];
          }),
        })),
      },
      {
        block: 'samples',
        title: 'Some of the test samples',
        about: 'Drawn at random.',
        samples: drawn.samples,
      },
    ],
  };
}

function shown(value: number | undefined): string {
  return value === undefined ? '–' : `${Number(value.toPrecision(4))}`;
}
