import { DATASET_SPLITS, type DatasetSplit } from '../dataset.ts';
import type { FoundTruth } from '../ground-truth.ts';

/** How many samples of each split have which class of an output. */
export class ClassTally {
  readonly counts: { readonly names: string[]; readonly samples: Record<DatasetSplit, number[]> };
  readonly #classesOf: (value: unknown) => Iterable<number>;

  /** @param classesOf the places in `names` of the classes that a value has */
  constructor(names: readonly string[], classesOf: (value: unknown) => Iterable<number>) {
    const samples = DATASET_SPLITS.map((split) => [split, new Array<number>(names.length).fill(0)]);
    this.counts = { names: [...names], samples: Object.fromEntries(samples) };
    this.#classesOf = classesOf;
  }

  /** Counts a sample; undefined for one without a value. */
  add(split: DatasetSplit, value: unknown): void {
    if (value === undefined) return;
    const counts = this.counts.samples[split];
    for (const place of new Set(this.#classesOf(value))) counts[place] = (counts[place] ?? 0) + 1;
  }
}

/** The tally of an output; undefined for one without classes, and for a main output with one class a sample, which is counted elsewhere. */
export function tallyOf(found: FoundTruth | undefined, output: number): ClassTally | undefined {
  if (!found) return undefined;
  const { tally, classes } = found;
  const final = (value: unknown) => (found.final ? found.final(value) : value);
  if (tally) return new ClassTally(tally.names, (value) => tally.of(final(value)));
  if (!classes || output === 0) return undefined;
  return new ClassTally(classes, (value) => {
    const place = final(value) as number;
    return place >= 0 && place < classes.length ? [place] : [];
  });
}
