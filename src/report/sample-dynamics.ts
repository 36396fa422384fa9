import { z } from 'zod';
import { shownExampleSchema } from './shown-example.ts';

const count = z.number().int().nonnegative();
const fraction = z.number().min(0).max(1);

/** A training sample, and how training went for it. */
const followedSampleSchema = shownExampleSchema.extend({
  /** The index of its class, where it has one, and who said what is true. */
  label: count.optional(),
  givenBy: z.enum(['label', 'teacher']),
  confidence: fraction,
  variability: fraction,
  correctness: fraction.optional(),
});
export type FollowedSample = z.infer<typeof followedSampleSchema>;

/** Samples that lie together on the map: their means, and how many they are. */
const mapCellSchema = z.object({
  confidence: fraction,
  variability: fraction,
  /** Absent where answers are no more than nearer or farther. */
  correctness: fraction.optional(),
  count: count,
});
export type MapCell = z.infer<typeof mapCellSchema>;

/** How a training went for its samples: what `dynamics.json` holds and the report shows. */
export const sampleDynamicsSchema = z.object({
  /** Samples that were seen, and how often on average. */
  samples: count,
  looks: z.number().nonnegative(),
  /** Means over them. */
  confidence: fraction,
  variability: fraction,
  correctness: fraction.optional(),
  /** The map, as a grid of 40 x 40 cells; empty ones are left out. */
  cells: z.array(mapCellSchema),
  examples: z.object({
    easy: z.array(followedSampleSchema),
    ambiguous: z.array(followedSampleSchema),
    hard: z.array(followedSampleSchema),
  }),
});
export type SampleDynamicsReport = z.infer<typeof sampleDynamicsSchema>;

/** By ordinal, as `SampleDynamics` keeps them. */
export interface FollowedTable {
  readonly confidence: ArrayLike<number>;
  readonly variability: ArrayLike<number>;
  readonly correctness?: ArrayLike<number>;
  readonly seen: ArrayLike<number>;
}

const GRID = 40;
/** The largest deviation that numbers between 0 and 1 can have. */
const MOST_VARIABLE = 0.5;

/** The numbers of the report, without the examples. */
export function summarizeDynamics(table: FollowedTable): Omit<SampleDynamicsReport, 'examples'> {
  const cells = new Map<number, CellSums>();
  const total: CellSums = { confidence: 0, variability: 0, correctness: 0, count: 0 };
  const judged = table.correctness !== undefined;
  let looks = 0;
  for (let i = 0; i < table.seen.length; i++) {
    if (table.seen[i] === 0) continue;
    looks += table.seen[i] as number;
    const [confidence, variability, correctness] = [
      table.confidence[i] as number,
      table.variability[i] as number,
      (table.correctness?.[i] ?? 0) as number,
    ];
    const key = binOf(variability / MOST_VARIABLE) * GRID + binOf(confidence);
    const cell = cells.get(key) ?? { confidence: 0, variability: 0, correctness: 0, count: 0 };
    cells.set(key, cell);
    for (const one of [cell, total]) {
      one.confidence += confidence;
      one.variability += variability;
      one.correctness += correctness;
      one.count++;
    }
  }
  const mean = meansOf(total, judged);
  return {
    samples: total.count,
    looks: looks / Math.max(1, total.count),
    confidence: mean.confidence,
    variability: mean.variability,
    ...(judged && { correctness: mean.correctness }),
    cells: [...cells.values()].map((cell) => meansOf(cell, judged)),
  };
}

/** Which samples show best what is easy, ambiguous and hard: their ordinals, the clearest first. */
export function chosenSamples(
  { confidence, variability, seen }: FollowedTable,
  number: number,
): Record<'easy' | 'ambiguous' | 'hard', number[]> {
  const at = (values: ArrayLike<number>, i: number) => values[i] as number;
  const clearest = (isBefore: (a: number, b: number) => number) => {
    const chosen: number[] = [];
    for (let i = 0; i < seen.length; i++) {
      if (at(seen, i) === 0) continue;
      if (chosen.length === number && isBefore(i, chosen.at(-1) as number) >= 0) continue;
      chosen.push(i);
      chosen.sort(isBefore);
      chosen.length = Math.min(chosen.length, number);
    }
    return chosen;
  };
  return {
    easy: clearest((a, b) => at(confidence, b) - at(confidence, a) || a - b),
    ambiguous: clearest((a, b) => at(variability, b) - at(variability, a) || a - b),
    hard: clearest((a, b) => at(confidence, a) - at(confidence, b) || a - b),
  };
}

/** Sums over the samples of a cell, and how many they are. */
type CellSums = { [key in keyof MapCell]-?: number };

function meansOf({ confidence, variability, correctness, count }: CellSums, judged: boolean): MapCell {
  const mean = (sum: number) => Math.min(1, Number((sum / Math.max(1, count)).toFixed(4)));
  return {
    confidence: mean(confidence),
    variability: mean(variability),
    ...(judged && { correctness: mean(correctness) }),
    count,
  };
}

function binOf(part: number): number {
  return Math.min(GRID - 1, Math.floor(part * GRID));
}
