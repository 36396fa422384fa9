import { joinBytes, numbersIn, textOf, utf8Of } from '../../platform/bytes.ts';
import { createSha256 } from '../../platform/hash.ts';
import { type Batch, SAMPLE_KEY_BYTES } from '../batch.ts';
import { sequentialBatches } from '../batches/batch-order.ts';
import { LABELS } from '../columns.ts';
import type { Dataset } from '../dataset.ts';
import { hashOfKey } from './hash-of-key.ts';
import { KEPT_NAMES, type KeptDifference, type KeptName } from './kept-difference.ts';
import { NEW, type SampleTable, TEST, TRAIN, VALIDATION } from './split-assignment.ts';

const NUMBERS: Readonly<Record<KeptName, number>> = { train: TRAIN, validation: VALIDATION, test: TEST };

/** The samples of a split by their content: hashes in ascending order, and the label of each (-1 where it is hidden). */
export interface KeptSplit {
  readonly hashes: Float64Array;
  readonly labels: Int32Array;
}

/** Which samples are in which split of a run, whatever becomes of the files that they came from. */
export interface KeptSplits {
  /** `Dataset.contentHash` of the run's data. */
  readonly contentHash: string;
  /** The classes, in the order of their numbers. */
  readonly labels: readonly string[];
  /** The labels as the data have them, with the class that each is. */
  readonly dataLabels: readonly { readonly label: string; readonly class: number }[];
  readonly splits: Readonly<Record<KeptName, KeptSplit>>;
}

const ROWS = 256;

/** The splits of a data set, to keep. */
export function keepSplits(dataset: Dataset): KeptSplits {
  const keep = (name: KeptName): KeptSplit => {
    const split = dataset.splits[name];
    const entries: [number, number][] = [];
    for (const { bucket, indices } of sequentialBatches(split, ROWS)) {
      const batch = split.readBatch(bucket, indices, indices.length);
      const { keys, filled } = batch;
      const labels = classesOf(batch);
      for (let row = 0; row < filled; row++) {
        entries.push([hashOfKey(keys, row * SAMPLE_KEY_BYTES), labels?.[row] ?? NO_CLASS]);
      }
    }
    entries.sort(([a, x], [b, y]) => a - b || x - y);
    return {
      hashes: Float64Array.from(entries, ([hash]) => hash),
      labels: Int32Array.from(entries, ([, label]) => label),
    };
  };
  const { labels } = dataset;
  return {
    contentHash: dataset.contentHash,
    labels,
    dataLabels:
      dataset.statistics.labels?.classes.map(({ label, class: number }) => ({ label, class: number })) ??
      ownNames(labels),
    splits: { train: keep('train'), validation: keep('validation'), test: keep('test') },
  };
}

/** Beside a sample of which no single class is known. */
const NO_CLASS = -1;

/** The classes of a batch's rows, where the main output is one class a sample. */
function classesOf({ columns }: Batch): Int32Array | undefined {
  const column = columns[LABELS];
  return column?.type === 'int32' && column.dims.length === 1 ? (column.data as Int32Array) : undefined;
}

/** Where nothing else was kept, the data have the names of the classes. */
function ownNames(labels: readonly string[]): KeptSplits['dataLabels'] {
  return labels.map((label, number) => ({ label, class: number }));
}

/** Whether two splits hold the same samples with the same labels, in any order. */
export function sameSplit(a: KeptSplit, b: KeptSplit): boolean {
  return (
    a.hashes.length === b.hashes.length &&
    a.hashes.every((hash, i) => hash === b.hashes[i]) &&
    a.labels.every((label, i) => label === b.labels[i])
  );
}

/** What became of a run's samples in other data, whose splits may be others. */
export interface KeptChange {
  /** Samples that are no longer there, and such that were not there. */
  gone: number;
  added: number;
  /** Samples that are in another split. */
  moved: number;
}

/** Compares the splits of a run with those that its data would be given now. */
export function compareSplits(before: KeptSplits, now: KeptSplits): KeptChange {
  const splitOf = ({ splits }: KeptSplits) =>
    new Map(KEPT_NAMES.flatMap((name) => Array.from(splits[name].hashes, (hash) => [hash, name] as const)));
  const [old, present] = [splitOf(before), splitOf(now)];
  const change: KeptChange = { gone: 0, added: 0, moved: 0 };
  for (const [hash, name] of old) {
    const other = present.get(hash);
    if (other === undefined) change.gone++;
    else if (other !== name) change.moved++;
  }
  for (const hash of present.keys()) if (!old.has(hash)) change.added++;
  return change;
}

/** A hash of kept splits: part of cache keys. */
export function keptDigest(kept: KeptSplits): string {
  return createSha256().update(encodeKeptSplits(kept)).digest('hex');
}

/**
 * Puts samples where they were kept; those that are in no kept split are left out (NEW).
 *
 * @param labelOf the number, among the kept classes, of a class number in the table
 * @returns how the data differ, and the training samples whose label is known
 */
export function assignKept(
  table: SampleTable,
  { splits }: KeptSplits,
  labelOf: (label: number) => number,
): { difference: KeptDifference; labelled: Set<number> } {
  const zero = () => ({ train: 0, validation: 0, test: 0 });
  const difference: KeptDifference = { missing: zero(), relabelled: zero(), added: 0 };
  const labelled = new Set<number>();
  const takers = KEPT_NAMES.toReversed().map((name) => ({ name, taker: new Taker(splits[name]) }));
  for (let sample = 0; sample < table.size; sample++) {
    const hash = table.textHash(sample);
    const met = table.label(sample);
    const label = met < 0 ? -1 : labelOf(met);
    table.assign(sample, NEW);
    for (const { name, taker } of takers) {
      const kept = taker.take(hash, label);
      if (kept === undefined) continue;
      table.assign(sample, NUMBERS[name]);
      if (kept >= 0 && kept !== label) difference.relabelled[name]++;
      if (name === 'train' && kept >= 0) labelled.add(sample);
      break;
    }
    if (table.split(sample) === NEW) difference.added++;
  }
  for (const { name, taker } of takers) difference.missing[name] = taker.left;
  return { difference, labelled };
}

/** Gives each kept sample once. */
class Taker {
  readonly #kept: KeptSplit;
  readonly #taken: Uint8Array;
  left: number;

  constructor(kept: KeptSplit) {
    this.#kept = kept;
    this.left = kept.hashes.length;
    this.#taken = new Uint8Array(this.left);
  }

  /** Takes a sample of this content, one with this label if there is one; its kept label, or undefined. */
  take(hash: number, label: number): number | undefined {
    const { hashes, labels } = this.#kept;
    let from = 0;
    for (let to = hashes.length; from < to; ) {
      const middle = (from + to) >>> 1;
      if ((hashes[middle] as number) < hash) from = middle + 1;
      else to = middle;
    }
    let found = -1;
    for (let i = from; hashes[i] === hash; i++) {
      if (this.#taken[i] === 1) continue;
      if (found < 0 || labels[i] === label) found = i;
    }
    if (found < 0) return undefined;
    this.#taken[found] = 1;
    this.left--;
    return labels[found];
  }
}

const FORMAT = 1;

/** As a file: a line of JSON, then for each split its hashes (float64) and labels (int32), little-endian. */
export function encodeKeptSplits({ contentHash, labels, dataLabels, splits }: KeptSplits): Uint8Array {
  const sizes = KEPT_NAMES.map((name) => splits[name].hashes.length);
  const head = utf8Of(`${JSON.stringify({ format: FORMAT, contentHash, labels, dataLabels, sizes })}\n`);
  const parts = KEPT_NAMES.flatMap((name) => {
    const { hashes, labels: numbers } = splits[name];
    const bytes = new Uint8Array(hashes.length * 12);
    const view = numbersIn(bytes);
    for (const [i, hash] of hashes.entries()) view.setFloat64(i * 8, hash, true);
    for (const [i, label] of numbers.entries()) view.setInt32(hashes.length * 8 + i * 4, label, true);
    return [bytes];
  });
  return joinBytes([head, ...parts]);
}

/** Reads what `encodeKeptSplits` wrote; undefined for anything else. */
export function decodeKeptSplits(file: Uint8Array): KeptSplits | undefined {
  try {
    const end = file.indexOf(10);
    const { format, contentHash, labels, dataLabels, sizes } = JSON.parse(textOf(file.subarray(0, end))) as {
      format: number;
      contentHash: string;
      labels: string[];
      dataLabels?: { label: string; class: number }[];
      sizes: number[];
    };
    if (format !== FORMAT || sizes.length !== KEPT_NAMES.length) return undefined;
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    if (file.length !== end + 1 + rows * 12) return undefined;
    const view = numbersIn(file);
    let at = end + 1;
    const splits = Object.fromEntries(
      KEPT_NAMES.map((name, split) => {
        const size = sizes[split] as number;
        const start = at;
        const hashes = Float64Array.from({ length: size }, (_, i) => view.getFloat64(start + i * 8, true));
        const numbers = Int32Array.from({ length: size }, (_, i) =>
          view.getInt32(start + size * 8 + i * 4, true),
        );
        at += size * 12;
        return [name, { hashes, labels: numbers }];
      }),
    ) as Record<KeptName, KeptSplit>;
    return { contentHash, labels, dataLabels: dataLabels ?? ownNames(labels), splits };
  } catch {
    return undefined;
  }
}
