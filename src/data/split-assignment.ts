import { LimbeckError } from '../errors.ts';
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

/** Sizes of the held-out splits: a count of samples, or a fraction of all. */
export interface SplitSizes {
  validation?: number;
  test?: number;
  /** Training samples, at most. */
  train?: number;
}

/** What is held in memory of the samples, by their position in the source. */
export interface SampleTable {
  readonly size: number;
  /** A seeded hash of the group, uint32. Groups with equal hashes stay together, which does no harm. */
  groupHash(sample: number): number;
  isLabelled(sample: number): boolean;
  /** The split, from the data set's own column or TRAIN at first; filled in here. */
  split(sample: number): number;
  assign(sample: number, split: number): void;
  /** A hash of the sample's text, an integer of up to 53 bits, read from disk. */
  textHash(sample: number): number;
}

/**
 * Chooses the samples of validation and test by the smallest group hashes, so that the choice depends on the seed
 * and the groups and not on their order; whole groups only, and exactly as many samples as asked for (a group that
 * is larger than what is still wanted is passed over). A text that is in test is in no other split, one that is in
 * validation is not in train: such samples are marked as duplicates. A split that the data set itself names is kept as
 * it is, whatever its size; one in which no sample has a label (the test split of a contest) is drawn like a missing one.
 *
 * Memory: eight bytes for each held-out text (twice that for a moment), and a place in a list for each candidate.
 */
export function assignSplits(table: SampleTable, sizes: SplitSizes, where: string): void {
  const heldOut = new HashSet();
  for (const split of [TEST, VALIDATION]) {
    let own = false;
    for (const sample of samplesIn(table, split)) {
      if (!table.isLabelled(sample)) table.assign(sample, UNLABELLED_HELD_OUT);
      else {
        own = true;
        if (split === VALIDATION && heldOut.has(table.textHash(sample))) table.assign(sample, DUPLICATE);
      }
    }
    const wanted = wantedCount(table, split, sizes);
    if (wanted > 0 && !own) draw(table, split, wanted, heldOut, where);
    heldOut.add(function* () {
      for (const sample of samplesIn(table, split)) yield table.textHash(sample);
    });
  }
  if (heldOut.size === 0) return;
  for (const sample of samplesIn(table, TRAIN)) {
    if (heldOut.has(table.textHash(sample))) table.assign(sample, DUPLICATE);
  }
}

function* samplesIn(table: SampleTable, split: number): Generator<number> {
  for (let sample = 0; sample < table.size; sample++) if (table.split(sample) === split) yield sample;
}

/** A fraction of a small data set is a sample at least: what is measured on none would be no number. */
function wantedCount(table: SampleTable, split: number, sizes: SplitSizes): number {
  const size = (split === TEST ? sizes.test : sizes.validation) ?? 0;
  return size > 0 && size < 1 ? Math.max(1, Math.round(size * table.size)) : size;
}

function draw(table: SampleTable, split: number, wanted: number, heldOut: HashSet, where: string): void {
  // Hashes are uniform, so the smallest ones lie below a limit that grows until enough are found.
  let limit = Math.min(1, (1.2 * (wanted + heldOut.size + 50)) / table.size);
  for (;;) {
    const chosen = chooseGroups(table, limit, wanted, heldOut);
    if (chosen.count === wanted) {
      for (const sample of chosen.samples) {
        if (table.isLabelled(sample)) {
          table.assign(sample, heldOut.has(table.textHash(sample)) ? DUPLICATE : split);
        } else table.assign(sample, UNLABELLED_HELD_OUT);
      }
      return;
    }
    if (limit === 1) throw tooFew(split, wanted, chosen.count, where);
    limit = Math.min(1, limit * 2);
  }
}

/** Whole groups of training samples in the order of their hashes, until `wanted` samples count. */
function chooseGroups(table: SampleTable, limit: number, wanted: number, heldOut: HashSet) {
  const below = limit * 2 ** 32;
  const candidates: number[] = [];
  for (let sample = 0; sample < table.size; sample++) {
    if (table.split(sample) === TRAIN && table.groupHash(sample) < below) candidates.push(sample);
  }
  candidates.sort((a, b) => table.groupHash(a) - table.groupHash(b) || a - b);

  const samples: number[] = [];
  let count = 0;
  for (let at = 0; at < candidates.length && count < wanted; ) {
    const hash = table.groupHash(candidates[at] as number);
    let end = at;
    let usable = 0;
    for (; end < candidates.length && table.groupHash(candidates[end] as number) === hash; end++) {
      const sample = candidates[end] as number;
      if (table.isLabelled(sample) && !heldOut.has(table.textHash(sample))) usable++;
    }
    // A group of which nothing counts is left to train, which drops what it may not have.
    if (usable > 0 && count + usable <= wanted) {
      for (let i = at; i < end; i++) samples.push(candidates[i] as number);
      count += usable;
    }
    at = end;
  }
  return { samples, count };
}

function tooFew(split: number, wanted: number, found: number, where: string): LimbeckError {
  const name = split === TEST ? 'test' : 'validation';
  return new LimbeckError(
    'data.too-few',
    `the ${name} split asks for ${wanted} samples, and only ${found} labelled ones can be given to it`,
    { where, remedy: `Make splits.${name} smaller, or bring more data.` },
  );
}
