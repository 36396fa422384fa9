import { LimbeckError } from '../../errors.ts';
import { classQuotas } from './class-quotas.ts';
import { HashSet } from './hash-set.ts';

/** The split that a sample is in; the numbers are stored, one byte for each sample. */
export const TRAIN = 0;
export const VALIDATION = 1;
export const TEST = 2;
/** Left out: the text is in a split that comes before, or a held-out sample has no label. */
export const DUPLICATE = 3;
export const UNLABELLED_HELD_OUT = 4;
/** A training sample that was not drawn, where only so many are wanted. */
export const NOT_DRAWN = 5;
/** A sample of a split that the data set names, beyond the size that the recipe asks for. */
export const CUT = 6;
/** A sample that is in no split of the run whose splits are kept. */
export const NEW = 7;

/** Sizes of the splits: a count of samples, or a fraction of all. */
export interface SplitSizes {
  /** What is drawn where the data set has no such split; one that it has is cut to this size. */
  validation?: number | undefined;
  test?: number | undefined;
  /** Training samples, at most. */
  train?: number | undefined;
  /** Whether every class has the same part of each split that is drawn; true when absent. */
  stratified?: boolean | undefined;
  /** The size of validation and test where neither the recipe nor the data set says it; 0 when absent. */
  otherwise?: number | undefined;
}

/** What is held in memory of the samples, by their position in the source. */
export interface SampleTable {
  readonly size: number;
  /** A seeded hash of the group, uint32. Groups with equal hashes stay together, which does no harm. */
  groupHash(sample: number): number;
  /** The number of the class, -1 where there is none. */
  label(sample: number): number;
  /** The split, from the data set's own column or TRAIN at first; filled in here. */
  split(sample: number): number;
  assign(sample: number, split: number): void;
  /** A hash of the sample's text, an integer of up to 53 bits, read from disk. */
  textHash(sample: number): number;
}

/** How the held-out splits came about. */
export interface SplitOrigin {
  /** drawn by the seed, or the data set's own. */
  from: 'drawn' | 'data';
  /** Samples of the data set's own split that were left out, for the recipe asks for fewer. */
  cut: number;
  /** How many the recipe asks for that the data set's own split does not have. */
  missing: number;
}
export type SplitOrigins = Record<'validation' | 'test', SplitOrigin>;

/**
 * Chooses the samples of validation and test by the smallest group hashes, so that the choice depends on the seed
 * and the groups and not on their order or the files that they lie in; whole groups only, and exactly as many samples as
 * asked for (a group that is larger than what is still wanted is left to the others). Stratified, each class has its
 * part of a split by `classQuotas`. A text that is in test is in no other split, one that is in validation is not in
 * train: such samples are marked as duplicates.
 *
 * A split that the data set itself names is kept as it is, or cut to the size asked for, in the same way; one in which no
 * sample has a label (the test split of a contest) is drawn like a missing one.
 *
 * Memory: eight bytes for each held-out text (twice that for a moment), and a place in a list for each candidate.
 *
 * @param names of the classes, by their number in the table
 * @throws LimbeckError `data.too-few`
 */
export function assignSplits(
  table: SampleTable,
  sizes: SplitSizes,
  where: string,
  names: readonly string[] = [],
): SplitOrigins {
  const heldOut = new HashSet();
  const stratified = sizes.stratified !== false && names.length > 0;
  const drawing: Drawing = { table, heldOut, where, names: stratified ? names : undefined };
  const origins = {} as SplitOrigins;
  for (const [split, name] of [
    [TEST, 'test'],
    [VALIDATION, 'validation'],
  ] as const) {
    let own = 0;
    for (const sample of samplesIn(table, split)) {
      if (table.label(sample) < 0) table.assign(sample, UNLABELLED_HELD_OUT);
      else if (split === VALIDATION && heldOut.has(table.textHash(sample))) table.assign(sample, DUPLICATE);
      else own++;
    }
    origins[name] = { from: own > 0 ? 'data' : 'drawn', cut: 0, missing: 0 };
    const wanted = wantedCount(table, sizes[name] ?? (own > 0 ? 0 : (sizes.otherwise ?? 0)));
    if (own === 0) {
      if (wanted > 0) draw(drawing, TRAIN, split, wanted);
    } else if (wanted > own) {
      const asked = sizes[name] as number;
      if (asked >= 1) throw tooFewOwn(name, wanted, own, where);
      origins[name].missing = wanted - own;
    } else if (wanted > 0 && wanted < own) {
      for (const sample of samplesIn(table, split)) table.assign(sample, CUT);
      draw(drawing, CUT, split, wanted);
      origins[name].cut = own - wanted;
    }
    heldOut.add(function* () {
      for (const sample of samplesIn(table, split)) yield table.textHash(sample);
    });
  }
  if (heldOut.size > 0) {
    for (const sample of samplesIn(table, TRAIN)) {
      if (heldOut.has(table.textHash(sample))) table.assign(sample, DUPLICATE);
    }
  }
  return origins;
}

interface Drawing {
  readonly table: SampleTable;
  /** Texts that are in a held-out split already. */
  readonly heldOut: HashSet;
  readonly where: string;
  /** The classes' names; undefined where the draw is not stratified. */
  readonly names: readonly string[] | undefined;
}

function* samplesIn(table: SampleTable, split: number): Generator<number> {
  for (let sample = 0; sample < table.size; sample++) if (table.split(sample) === split) yield sample;
}

/** A fraction of a small data set is a sample at least: what is measured on none would be no number. */
function wantedCount(table: SampleTable, size: number): number {
  return size > 0 && size < 1 ? Math.max(1, Math.round(size * table.size)) : size;
}

/** Draws `wanted` samples of the split `from` into `split`. */
function draw(drawing: Drawing, from: number, split: number, wanted: number): void {
  const { table, heldOut, where, names } = drawing;
  const usable = (sample: number) =>
    table.label(sample) >= 0 && (heldOut.size === 0 || !heldOut.has(table.textHash(sample)));
  const quotas = names && quotasOf(table, from, usable, names, wanted);
  // Hashes are uniform, so the smallest ones lie below a limit that grows until enough are found.
  let limit = Math.min(1, (1.2 * (wanted + heldOut.size + 50)) / table.size);
  for (;;) {
    const chosen = chooseGroups(table, from, limit, wanted, usable, quotas);
    if (chosen.count === wanted && (!quotas || chosen.exact || limit === 1)) {
      for (const sample of chosen.samples) {
        if (usable(sample)) table.assign(sample, split);
        else table.assign(sample, table.label(sample) < 0 ? UNLABELLED_HELD_OUT : DUPLICATE);
      }
      return;
    }
    if (limit === 1) {
      const all = Array.from(samplesIn(table, from)).filter(usable).length;
      throw tooFew(split, { wanted, found: chosen.count, all }, where, table.size);
    }
    limit = Math.min(1, limit * 2);
  }
}

function quotasOf(
  table: SampleTable,
  from: number,
  usable: (sample: number) => boolean,
  names: readonly string[],
  wanted: number,
): Quotas {
  const counts = names.map(() => 0);
  for (const sample of samplesIn(table, from)) if (usable(sample)) (counts[table.label(sample)] as number)++;
  const classes = names.map((name, label) => ({ name, count: counts[label] as number }));
  return { quotas: classQuotas(classes, wanted), counts };
}

/** By class: places in the split that is drawn, and samples that there are. */
interface Quotas {
  readonly quotas: readonly number[];
  readonly counts: readonly number[];
}

/**
 * Whole groups in the order of their hashes, until `wanted` samples count: first those that fit the classes' quotas; then,
 * where groups of several samples leave some open, any that fit.
 */
function chooseGroups(
  table: SampleTable,
  from: number,
  limit: number,
  wanted: number,
  usable: (sample: number) => boolean,
  classes: Quotas | undefined,
) {
  const below = limit * 2 ** 32;
  const candidates: number[] = [];
  for (let sample = 0; sample < table.size; sample++) {
    if (table.split(sample) === from && table.groupHash(sample) < below) candidates.push(sample);
  }
  candidates.sort((a, b) => table.groupHash(a) - table.groupHash(b) || a - b);

  const samples: number[] = [];
  const taken = new Set<number>();
  let count = 0;
  const groups = function* () {
    for (let at = 0; at < candidates.length && count < wanted; ) {
      const hash = table.groupHash(candidates[at] as number);
      const start = at;
      while (at < candidates.length && table.groupHash(candidates[at] as number) === hash) at++;
      if (!taken.has(start)) yield { start, group: candidates.slice(start, at) };
    }
  };
  const pass = (fits: (labels: readonly number[]) => boolean) => {
    for (const { start, group } of groups()) {
      const labels = group.filter(usable).map((sample) => table.label(sample));
      // A group of which nothing counts is left to train, which drops what it may not have.
      if (labels.length === 0 || count + labels.length > wanted || !fits(labels)) continue;
      taken.add(start);
      samples.push(...group);
      count += labels.length;
    }
  };
  /** Copies of one text may be divided: those that are left are dropped as duplicates. */
  const divideCopies = () => {
    for (const { start, group } of groups()) {
      const copies = group.filter(usable);
      const [first] = copies;
      if (first === undefined || copies.some((one) => table.textHash(one) !== table.textHash(first)))
        continue;
      taken.add(start);
      const some = copies.slice(0, wanted - count);
      samples.push(...some);
      count += some.length;
    }
  };
  if (!classes) {
    pass(() => true);
    if (limit === 1) divideCopies();
    return { samples, count, exact: true };
  }
  pass(within([...classes.quotas]));
  const exact = count === wanted;
  if (!exact && limit === 1) {
    const left = [...classes.counts];
    for (const sample of samples) if (usable(sample)) (left[table.label(sample)] as number)--;
    pass(within(left.map((some) => some - 1)));
    pass(() => true);
    divideCopies();
  }
  return { samples, count, exact };
}

/** Whether a group's classes have places left, which it takes if they have. */
function within(places: number[]): (labels: readonly number[]) => boolean {
  return (labels) => {
    for (const label of labels) (places[label] as number)--;
    const fits = labels.every((label) => (places[label] as number) >= 0);
    if (!fits) for (const label of labels) (places[label] as number)++;
    return fits;
  };
}

function tooFew(
  split: number,
  { wanted, found, all }: { wanted: number; found: number; all: number },
  where: string,
  size: number,
): LimbeckError {
  const name = split === TEST ? 'test' : 'validation';
  return new LimbeckError(
    'data.too-few',
    `the ${name} split asks for ${wanted} samples, and only ${found} labelled ones can be given to it (of ${size} in all)`,
    {
      where,
      remedy:
        all >= wanted
          ? `Groups (groupField, idField) stay whole, and there is no choice of them that has just so many samples: name a column with smaller groups, or set splits.${name} to what whole groups have.`
          : `Make splits.${name} smaller, or bring more data.`,
    },
  );
}

function tooFewOwn(name: string, wanted: number, found: number, where: string): LimbeckError {
  return new LimbeckError(
    'data.too-few',
    `splits.${name} asks for ${wanted} samples, and the data set's own ${name} split has ${found}`,
    {
      where,
      remedy: `Make splits.${name} smaller, or leave it out to take the data set's own split whole.`,
    },
  );
}
