import type { Example } from '../../data/split.ts';
import type { MeasuredBatch } from '../../metrics/metric.ts';
import { columnOf, rowOf } from '../../metrics/output-rows.ts';
import { dot } from '../../metrics/vector-pairs.ts';
import {
  type Said,
  type SectionCollector,
  type SectionContext,
  SHOWN_SAMPLES,
  type Speaker,
} from './section.ts';

/** Pairs that are compared with each other. */
const MOST_PAIRS = 512;
const NEAREST = 3;
const SHOWN_CHARACTERS = 60;

/** Places of the right one among all, as the table counts them. */
const PLACES: readonly { readonly title: string; readonly last: number }[] = [
  { title: 'the nearest', last: 1 },
  { title: '2nd to 10th', last: 10 },
  { title: '11th to 50th', last: 50 },
  { title: 'further', last: Number.POSITIVE_INFINITY },
];

interface Sides {
  readonly texts: Float32Array[];
  readonly images: Float32Array[];
}

/** Where each side of a pair finds the other among all test pairs, and which texts some images are nearest to. */
export function pairsSection({ head, examples }: SectionContext): SectionCollector {
  const { width } = head.options as { readonly width: number };
  const said = new Map<Speaker, Sides>();
  const shown: Example[] = [];
  return {
    add(answers, batch, example) {
      const rows = completeRows(batch, head.sides).slice(0, Math.max(0, MOST_PAIRS - shown.length));
      for (const row of rows) shown.push(example(batch.ordinals[row] as number));
      for (const [who, answer] of answers) {
        const sides = said.get(who) ?? { texts: [], images: [] };
        said.set(who, sides);
        for (const row of rows) {
          const both = Float32Array.from(rowOf(answer, row) as Float32Array);
          sides.texts.push(both.subarray(0, width));
          sides.images.push(both.subarray(width));
        }
      }
    },
    section() {
      const speakers = [...said];
      const rows = speakers.flatMap(([who, { texts, images }]) => [
        [`${who}: images by texts`, ...shares(texts, images)],
        [`${who}: texts by images`, ...shares(images, texts)],
      ]);
      const samples = shown.slice(0, examples ? SHOWN_SAMPLES : 0).map((sample, i) => ({
        ...sample,
        said: speakers.map(
          ([who, { texts, images }]): Said => ({
            who,
            words: nearest(images[i] as Float32Array, texts)
              .map(
                (pair) =>
                  `${(shown[pair] as Example).text.slice(0, SHOWN_CHARACTERS)}${pair === i ? ' ✓' : ''}`,
              )
              .join(' · '),
          }),
        ),
      }));
      return [
        {
          block: 'table',
          title: 'Where the right one stands',
          about: `By how near it is, among ${shown.length} test pairs.`,
          columns: [
            { title: '', format: 'text' },
            ...PLACES.map(({ title }) => ({ title, format: 'percent' as const })),
          ],
          rows,
        },
        {
          block: 'samples',
          title: 'The nearest texts of some images',
          about: `Among the texts of ${shown.length} test pairs; ✓ is its own.`,
          samples,
        },
      ];
    },
  };
}

/** The samples of a batch that have both sides. */
function completeRows({ filled, columns }: MeasuredBatch, sides: readonly string[] = []): number[] {
  return Array.from({ length: filled }, (_, row) => row).filter((row) =>
    sides.every((name) => Number(columnOf(columns, name).data[row]) > 0),
  );
}

/** How often the candidate of a query's own pair is at each of the places. */
function shares(queries: readonly Float32Array[], candidates: readonly Float32Array[]): number[] {
  const counts = PLACES.map(() => 0);
  queries.forEach((query, own) => {
    const least = dot(query, candidates[own] as Float32Array);
    const before = candidates.filter((one, i) => i !== own && dot(query, one) > least).length;
    const place = PLACES.findIndex(({ last }) => before < last);
    counts[place] = (counts[place] as number) + 1;
  });
  return counts.map((count) => count / Math.max(1, queries.length));
}

/** The positions of the candidates that are nearest to a query, the nearest first. */
function nearest(query: Float32Array, candidates: readonly Float32Array[]): number[] {
  return candidates
    .map((one, i) => ({ i, cosine: dot(query, one) }))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, NEAREST)
    .map(({ i }) => i);
}
