import { LimbeckError } from '../errors.ts';
import { createSha256 } from '../platform/hash.ts';
import { join } from '../platform/paths.ts';
import { AppendingFile } from './appending-file.ts';
import { BROKEN_ROWS_FILE, BrokenRowList, brokenSummary } from './broken-rows.ts';
import { canonicalJson } from './canonical-json.ts';
import { findContradictions } from './contradictions.ts';
import { DATASET_SPLITS, type DatasetSplit } from './dataset.ts';
import {
  bucketFileName,
  DATASET_FORMAT,
  type DatasetManifest,
  openDataset,
  readManifest,
  writeManifest,
} from './dataset-manifest.ts';
import { drawTraining, selectLabelled } from './draw-training.ts';
import { assignKept, type KeptSplits, keptDigest } from './kept-splits.ts';
import type { LabelNames, LabelSummary } from './label-reader.ts';
import { preparedFolder } from './prepared-folder.ts';
import type { BrokenRows, DataSource, SourceNote } from './sample.ts';
import { SampleReader } from './sample-reader.ts';
import { SampleStage } from './sample-stage.ts';
import {
  assignSplits,
  DUPLICATE,
  type SplitOrigins,
  type SplitSizes,
  TEST,
  TRAIN,
  UNLABELLED_HELD_OUT,
  VALIDATION,
} from './split-assignment.ts';
import type { TextDataset } from './text-dataset.ts';
import { LABEL_AT, recordLayout } from './token-record.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface PrepareOptions {
  source: DataSource;
  tokenizer: Tokenizer;
  /** The allowed class names, in the order of their numbers; those found in the data (`orderClasses`) when absent. */
  labels?: readonly string[];
  /** Other names for labels in the data; null for a value that stands for no label. */
  renameLabels?: LabelNames;
  /** What a teacher makes of the classes of the data; they stay as they are when absent. */
  classes?: ClassResolver;
  /** Counts of samples, or fractions below 1. */
  splits?: SplitSizes;
  /** The splits of an earlier preparation: samples go where they were, and others are left out. */
  kept?: KeptSplits;
  /** How many training samples of each class keep their label. */
  labelsPerClass: number | 'all';
  /** In tokens; longer texts are cut. */
  maxLength: number;
  /** Lengths that texts are padded to, ascending; the last is `maxLength`. */
  buckets: readonly number[];
  seed: number;
  onBrokenRow: 'skip' | 'fail';
  /** Where prepared data sets are kept, each in a folder named by its fingerprint. */
  folder: string;
  /** Called now and then with the rows read so far. */
  onProgress?: (rows: number) => void;
  /** Told of an earlier preparation that was damaged. */
  onDamaged?: ((folder: string) => void) | undefined;
  signal?: AbortSignal;
}

/** Decides which classes a run has and in which order, from those of the data: a teacher may have its own. */
export interface ClassResolver {
  /** What the decision depends on besides the data's classes: part of the fingerprint. */
  readonly key: string;
  /** The classes, and the class of each label of the data. Throws LimbeckError where they do not fit together. */
  resolve(labels: LabelSummary): {
    readonly labels: readonly string[];
    readonly classOfLabel: readonly number[];
  };
}

const PROGRESS_ROWS = 1000;

/**
 * Reads a source once and writes it to disk tokenized, split and without texts that are in two splits; or opens
 * what an earlier call with the same source, tokenizer and options wrote.
 *
 * Throws LimbeckError: `data.empty`, `data.too-many-broken`, `data.too-few`, `data.empty-class`, `data.one-class`, `data.broken-row` and
 * `data.unknown-label` (with `onBrokenRow: 'fail'`), `data.disk-full`; nothing half-written is left behind.
 */
export async function prepareTextDataset(options: PrepareOptions): Promise<TextDataset> {
  checkOptions(options);
  const fingerprint = await fingerprintOf(options);
  return preparedFolder({
    root: options.folder,
    fingerprint,
    find: (folder) => readManifest(folder, fingerprint),
    build: (folder) => build(folder, fingerprint, options),
    onDamaged: options.onDamaged,
    open: openDataset,
  });
}

async function build(folder: string, fingerprint: string, options: PrepareOptions): Promise<DatasetManifest> {
  const { source, tokenizer, buckets, seed, signal } = options;
  const { title } = source;
  const layouts = buckets.map((length) => recordLayout(length, tokenizer.vocabularySize));
  const stage = new SampleStage(folder, layouts, tokenizer.padId);
  const broken = new BrokenRowList(folder);
  try {
    const { kept } = options;
    const declared = await source.classNames?.();
    const reader = new SampleReader({
      ...options,
      declared: declared?.names,
      // Rows of other classes are no rows of that run.
      ...(kept && { labels: kept.dataLabels.map(({ label }) => label), onBrokenRow: 'skip' }),
      broken,
      title,
    });
    for await (const row of source.rows(signal)) {
      signal?.throwIfAborted();
      const sample = reader.read(row);
      if (sample) stage.add(sample);
      if (reader.rows % PROGRESS_ROWS === 0) options.onProgress?.(reader.rows);
    }
    signal?.throwIfAborted();
    options.onProgress?.(reader.rows);
    requireRows(reader.rows, stage.size, broken.found, title);
    const texts = stage.finishAdding();

    const summary = reader.labels.summary();
    const { labels, numbers } = kept
      ? { labels: [...kept.labels], numbers: kept.dataLabels.map((one) => one.class) }
      : resolveClasses(reader, summary, options.classes, title);
    const contradictions = findContradictions(stage);
    const names = reader.labels.labels;
    const assigned = kept
      ? { ...assignKept(stage, kept, (label) => numbers[label] as number), origins: ORIGINS_KEPT }
      : { origins: assignSplits(stage, options.splits ?? {}, title, names), difference: undefined };
    const labelled =
      'labelled' in assigned ? assigned.labelled : selectLabelled(stage, options.labelsPerClass, seed);
    if (!kept) drawTraining(stage, options.splits ?? {}, labelled, names, seed);

    const written = writeSplits(folder, stage, numbers, labels.length, labelled);
    const empty = labels.filter((_, label) => written.classCounts.labelled[label] === 0);
    // A teacher teaches its classes without labels.
    if (empty.length > 0 && !kept && !options.classes) throw emptyClass(empty, title);
    const first = stage.ids(contradictions.first.flat());
    stage.discard();
    const brokenFile = broken.finish();
    const manifest: DatasetManifest = {
      format: DATASET_FORMAT,
      fingerprint,
      title,
      labels,
      vocabularySize: tokenizer.vocabularySize,
      padId: tokenizer.padId,
      paddingSide: tokenizer.frame.paddingSide,
      buckets: [...buckets],
      sizes: written.sizes,
      statistics: {
        rows: reader.rows,
        broken: broken.found,
        notes: reader.notes,
        replaced: reader.replaced,
        origins: assigned.origins,
        ...(assigned.difference && { kept: assigned.difference }),
        duplicates: written.left[DUPLICATE] ?? 0,
        unlabelledHeldOut: written.left[UNLABELLED_HELD_OUT] ?? 0,
        tokenLengths: reader.tokenLengths,
        unknown: reader.unknown,
        longTexts: reader.long.found(),
        classCounts: written.classCounts,
        labels: {
          ...summary,
          classes: summary.classes.map((one) => ({
            ...one,
            class: numbers[reader.labels.labels.indexOf(one.label)] as number,
          })),
          contradictions: {
            ...contradictions,
            first: contradictions.first.map((pair) =>
              pair.map((sample) => ({
                place: placeOf(sample, first.get(sample) as string),
                label: reader.labels.labels[stage.label(sample)] as string,
              })),
            ),
          },
        },
      },
      files: { texts, ...written.files, [BROKEN_ROWS_FILE]: brokenFile },
    };
    writeManifest(folder, manifest);
    return manifest;
  } finally {
    broken.close();
    stage.close();
  }
}

const ORIGINS_KEPT: SplitOrigins = {
  validation: { from: 'data', cut: 0, missing: 0 },
  test: { from: 'data', cut: 0, missing: 0 },
};

/** Where a row is, for the person: by its id or, where that is the hash of its content, by its number among the rows that were read. */
function placeOf(sample: number, id: string): string {
  return /^[0-9a-f]{32}$/.test(id) ? `row ${sample + 1} of those read` : id;
}

/** The classes of the run, and the class of each label in the order in which the labels were met. */
function resolveClasses(
  { labels: { labels: met }, notes }: SampleReader,
  summary: LabelSummary,
  resolver: ClassResolver | undefined,
  title: string,
): { labels: string[]; numbers: number[] } {
  const found = summary.classes.filter(({ rows }) => rows > 0).map(({ label }) => label);
  if (found.length === 0) throw oneClass(found, notes, title);
  const all = summary.classes.map(({ label }) => label);
  // Of declared classes those count that have rows, if nobody else knows the others.
  const own = summary.from === 'data-set' ? found : all;
  const { labels, classOfLabel } = resolver?.resolve(summary) ?? {
    labels: own,
    classOfLabel: all.map((label) => own.indexOf(label)),
  };
  if (labels.length < 2) throw oneClass(labels, notes, title);
  return { labels: [...labels], numbers: met.map((label) => classOfLabel[all.indexOf(label)] as number) };
}

/** Copies every staged record into the file of its split and bucket, with the label's final number. */
function writeSplits(
  folder: string,
  stage: SampleStage,
  numbers: readonly number[],
  classes: number,
  labelled: ReadonlySet<number> | undefined,
) {
  const bySplit = <T>(make: (split: DatasetSplit) => T) =>
    Object.fromEntries(DATASET_SPLITS.map((split) => [split, make(split)])) as Record<DatasetSplit, T>;
  const outputs: AppendingFile[] = [];
  const files = bySplit((split) =>
    stage.layouts.map(({ length }) => {
      const file = new AppendingFile(join(folder, bucketFileName(split, length)));
      outputs.push(file);
      return file;
    }),
  );
  const sizes = bySplit(() => stage.layouts.map(() => 0));
  const classCounts = bySplit(() => new Array<number>(classes).fill(0));
  const left: Record<number, number> = {};
  const put = (split: DatasetSplit, bucket: number, record: Buffer, label: number, trueLabel: number) => {
    record.writeInt32LE(label, LABEL_AT);
    (files[split][bucket] as AppendingFile).append(record);
    (sizes[split][bucket] as number)++;
    if (trueLabel >= 0) (classCounts[split][trueLabel] as number)++;
  };
  try {
    for (const { sample, bucket, record } of stage.records()) {
      const split = stage.split(sample);
      const met = stage.label(sample);
      const label = met < 0 ? -1 : (numbers[met] as number);
      if (split === TEST) put('test', bucket, record, label, label);
      else if (split === VALIDATION) put('validation', bucket, record, label, label);
      else if (split === TRAIN) {
        const known = label >= 0 && (labelled === undefined || labelled.has(sample));
        put('train', bucket, record, known ? label : -1, label);
        if (known) put('labelled', bucket, record, label, label);
      } else left[split] = (left[split] ?? 0) + 1;
    }
    const sums = Object.fromEntries(
      DATASET_SPLITS.flatMap((split) =>
        files[split].map((file, bucket) => [
          bucketFileName(split, (stage.layouts[bucket] as { length: number }).length),
          file.finish(),
        ]),
      ),
    );
    return { sizes, classCounts, left, files: sums };
  } finally {
    for (const file of outputs) file.close();
  }
}

async function fingerprintOf(options: PrepareOptions): Promise<string> {
  const { source, tokenizer, labels, splits, labelsPerClass, maxLength, buckets, seed, onBrokenRow, kept } =
    options;
  const { renameLabels, classes } = options;
  const parts = {
    format: DATASET_FORMAT,
    source: await source.fingerprint(),
    tokenizer: tokenizer.hash,
    options: { labels, splits, labelsPerClass, maxLength, buckets, seed, onBrokenRow },
    ...(kept && { kept: keptDigest(kept) }),
    ...(renameLabels && { renameLabels }),
    ...(classes && { classes: classes.key }),
    classNames: (await source.classNames?.())?.names,
  };
  return createSha256().update(canonicalJson(parts)).digest('hex');
}

function checkOptions({ buckets, maxLength, labels, splits, labelsPerClass }: PrepareOptions): void {
  const complain = (problem: string, remedy: string) => {
    throw new LimbeckError('data.options', problem, { where: 'data', remedy });
  };
  const ascending = buckets.every((length, i) => length > (i === 0 ? 0 : (buckets[i - 1] as number)));
  if (buckets.length === 0 || buckets.length > 255 || !ascending || buckets.at(-1) !== maxLength) {
    complain(
      `the buckets [${buckets.join(', ')}] do not go up to maxLength ${maxLength}`,
      'List lengths in ascending order that end with data.maxLength.',
    );
  }
  if (labels && new Set(labels).size < labels.length) {
    complain('a class is twice in data.labels', 'List every class once.');
  }
  for (const [name, size] of Object.entries(splits ?? {})) {
    if (typeof size === 'number' && !(size >= 0 && (size < 1 || Number.isInteger(size)))) {
      complain(`splits.${name} is ${size}`, 'Give a count of samples, or a fraction below 1.');
    }
  }
  if (labelsPerClass !== 'all' && !(Number.isInteger(labelsPerClass) && labelsPerClass > 0)) {
    complain(`labelsPerClass is ${labelsPerClass}`, "Give a count above 0, or 'all'.");
  }
}

/** Fewer rows than this may well be broken for the most part, and be what there is. */
const FEW_ROWS = 10;

/** Throws where nothing can be read, or where more rows are broken than are read: then the file is not what it is taken for. */
function requireRows(rows: number, samples: number, broken: BrokenRows, title: string): void {
  const first = broken.first[0];
  const where = first ? `${title}, ${first.where}` : title;
  if (samples === 0) {
    throw new LimbeckError(
      'data.empty',
      rows === 0 ? 'the data set is empty' : `none of the ${rows} rows can be used: ${first?.problem}`,
      {
        where,
        remedy: rows === 0 ? 'Set data.source to data with rows; a header alone is none.' : remedyOf(broken),
      },
    );
  }
  // Whoever lists some of the classes leaves the rows of others out, and may well mean it.
  const unread = broken.count - (broken.reasons['unknown-label'] ?? 0);
  if (rows < FEW_ROWS || 2 * unread <= rows) return;
  throw new LimbeckError(
    'data.too-many-broken',
    `${unread} of ${rows} rows are broken: ${brokenSummary(broken)}; the first: ${first?.problem}`,
    {
      where,
      remedy: NOT_AS_TOLD,
    },
  );
}

/** What to do where no row can be read, by what is wrong with all of them. */
function remedyOf({ reasons, count }: BrokenRows): string {
  const [reason] = Object.keys(reasons).filter((one) => reasons[one as keyof typeof reasons] === count);
  switch (reason) {
    case 'text':
      return 'Set data.source.textField and labelField to the names that the data uses; `limbeck init --data FILE` proposes them.';
    case 'json':
      return 'Write each object on a line of its own; with jq: jq -c . FILE > FILE.jsonl.';
    case 'unknown-label':
      return 'List the labels that the data has in data.labels, or rename them (data.renameLabels).';
    default:
      return NOT_AS_TOLD;
  }
}

const NOT_AS_TOLD =
  'Set what describes the file in data.source (columns, delimiter, quote, encoding), or correct it; `limbeck init --data FILE` proposes them.';

const MOST_SHOWN = 10;

function oneClass(labels: readonly string[], notes: readonly SourceNote[], title: string): LimbeckError {
  const problem = labels.length === 0 ? 'no row has a label' : `all rows have the label '${labels[0]}'`;
  const told = notes.find(({ kind }) => kind === 'columns');
  return new LimbeckError('data.one-class', `${problem}: there is nothing to classify`, {
    where: told && labels.length === 0 ? told.message : title,
    remedy: 'Set data.source.labelField to the column that holds the class.',
  });
}

function emptyClass(empty: readonly string[], title: string): LimbeckError {
  const shown = empty.slice(0, MOST_SHOWN).map((label) => `'${label.slice(0, 100)}'`);
  const more = empty.length - shown.length;
  return new LimbeckError(
    'data.empty-class',
    `no training sample has the label ${shown.join(', ')}${more > 0 ? ` and ${more} others` : ''}`,
    {
      where: title,
      remedy: `Remove these from data.labels, hold out fewer samples, or bring samples of them.${more > 0 ? ' Where nearly every row has a label of its own, labelField may name another column than the class.' : ''}`,
    },
  );
}
