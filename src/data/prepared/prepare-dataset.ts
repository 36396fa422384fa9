import { createSha256 } from '../../platform/hash.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { DatasetStatistics } from '../dataset.ts';
import { findContradictions } from '../findings/contradictions.ts';
import type { LabelStatistics } from '../findings/label-findings.ts';
import type { FoundTruth, TruthReader } from '../ground-truth.ts';
import { BROKEN_ROWS_FILE, BrokenRowList } from '../rows/broken-rows.ts';
import { inOrder } from '../rows/in-order.ts';
import type { InputStatistics } from '../rows/input-counts.ts';
import { requireRows } from '../rows/require-rows.ts';
import { type ReadRow, RowReader } from '../rows/row-reader.ts';
import type { DataSource, SourceNote } from '../sample.ts';
import { drawTraining, type KeyedTable, selectLabelled } from '../splits/draw-training.ts';
import type { KeptDifference } from '../splits/kept-difference.ts';
import { assignKept, type KeptSplits, keptDigest } from '../splits/kept-splits.ts';
import {
  assignSplits,
  DUPLICATE,
  type SampleTable,
  type SplitOrigins,
  type SplitSizes,
  TRAIN,
  UNLABELLED_HELD_OUT,
} from '../splits/split-assignment.ts';
import {
  DATASET_FORMAT,
  type DatasetManifest,
  openDataset,
  type PreparedDataset,
  readManifest,
  writeManifest,
} from './dataset-manifest.ts';
import { axisOf, checkParts, type DatasetInput, type DatasetOutput } from './dataset-parts.ts';
import { keepFirst } from './keep-first.ts';
import { preparedFolder } from './prepared-folder.ts';
import { recordLayout } from './record-layout.ts';
import { NO_CLASS, SampleStage, SHOWN_FILE } from './sample-stage.ts';
import { checkSizes } from './split-sizes.ts';
import { writeSplits } from './write-splits.ts';

export interface PrepareOptions {
  readonly source: DataSource;
  readonly inputs: readonly DatasetInput[];
  /** The first is the main one: splits are stratified by its classes, and labels hidden. None where nothing is known of samples but their inputs. */
  readonly outputs: readonly DatasetOutput[];
  /** Counts of samples, or fractions below 1. */
  readonly splits?: SplitSizes;
  /** The splits of an earlier preparation: samples go where they were, and others are left out. */
  readonly kept?: KeptSplits | undefined;
  /** How many training samples of each class keep what is known of their outputs. */
  readonly labelsPerClass: number | 'all';
  readonly seed: number;
  readonly onBrokenRow: 'skip' | 'fail';
  /** Where prepared data sets are kept, each in a folder named by its fingerprint. */
  readonly folder: string;
  /** Called now and then with the rows read so far. */
  readonly onProgress?: ((rows: number) => void) | undefined;
  /** Told of an earlier preparation that was damaged. */
  readonly onDamaged?: ((folder: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PROGRESS_ROWS = 1000;
/** Rows whose inputs are encoded at the same time, where that is not done at once: sharp and decoders of sounds have threads. */
const ROWS_AT_ONCE = 16;

/**
 * Reads a source once and writes it to disk encoded, split and without samples that are in two splits; or opens what an
 * earlier call with the same source, inputs, outputs and options wrote. Memory holds some ten bytes for each sample.
 *
 * Throws LimbeckError: `data.empty`, `data.too-many-broken`, `data.too-few`, `data.broken-row` and `data.unknown-label` (with
 * `onBrokenRow: 'fail'`), `data.options`, `data.disk-full`, and what the outputs say of values that nothing can be learnt from
 * (`data.one-class`, `data.empty-class`); nothing half-written is left behind.
 */
export async function prepareDataset(options: PrepareOptions): Promise<PreparedDataset> {
  checkSizes(options.splits, options.labelsPerClass);
  checkParts(options.inputs, options.outputs);
  const fingerprint = await fingerprintOf(options);
  return preparedFolder({
    root: options.folder,
    fingerprint,
    find: (folder) => readManifest(folder, fingerprint),
    build: (folder) => build(folder, fingerprint, options),
    onDamaged: options.onDamaged,
    open: (folder, manifest, reused) => openDataset(folder, manifest, reused, options),
  });
}

async function fingerprintOf(options: PrepareOptions): Promise<string> {
  const { source, inputs, outputs, splits, kept, labelsPerClass, seed, onBrokenRow } = options;
  const parts = {
    format: DATASET_FORMAT,
    source: await source.fingerprint(),
    inputs: inputs.map(({ name, fields, processor }) => [name, fields, processor.hash]),
    outputs: outputs.map(({ name, field, truth }) => [name, field, truth.hash]),
    splits,
    labelsPerClass,
    seed,
    onBrokenRow,
    declared: await source.declares?.(),
    ...(kept && { kept: keptDigest(kept) }),
  };
  return createSha256().update(canonicalJson(parts)).digest('hex');
}

async function build(folder: string, fingerprint: string, options: PrepareOptions): Promise<DatasetManifest> {
  const { source, inputs, outputs, kept, seed } = options;
  const { title } = source;
  const axis = axisOf(inputs);
  const processors = inputs.map(({ processor }) => processor);
  const buckets = [...(axis?.buckets ?? [0])];
  const layouts = buckets.map((length) => recordLayout(length, processors, [], axis?.name));
  const notes: SourceNote[] = [];
  const readers = await beginTruths(options, notes);
  // Classes are compared by their numbers.
  const comparesValues = readers[0] !== undefined && readers[0].strata === undefined;
  const byPosition = source.positions !== undefined;
  const stage = new SampleStage(folder, layouts, outputs.length, { byPosition, comparesValues });
  const broken = new BrokenRowList(folder);
  try {
    const reader = new RowReader({
      inputs,
      outputs: outputs.map(({ name, field, keys }, i) => ({
        name,
        field,
        keys,
        reader: readers[i] as TruthReader,
      })),
      seed,
      // Rows of other classes are not rows of a run whose splits are kept.
      onBrokenRow: kept ? 'skip' : options.onBrokenRow,
      broken,
      notes,
      source,
    });
    await readRows(options, reader, stage);
    requireRows(reader.rows, stage.size, broken.found, { title, inputs, outputs });
    const shown = stage.finishAdding();

    // What learns from values waits until it is known which of them train.
    const found = readers.map((one) => (one.fit ? undefined : one.finish()));
    const contradictions = findContradictions({
      size: stage.size,
      label: (sample) => (comparesValues ? stage.valueHash(sample) : stage.label(sample)),
      textHash: (sample) => stage.identity(sample),
    });
    const { labelled, origins, difference } = assign(stage, options, readers[0], found[0]);
    fitTruths(readers, stage, labelled);
    const truths = readers.map((one, i) => found[i] ?? one.finish());
    notes.push(...truths.flatMap((truth) => truth.notes ?? []));
    const written = writeSplits({ folder, stage, buckets, inputs, outputs, truths, labelled });
    truths[0]?.check?.(written.classCounts.labelled);
    const places = stage.ids(contradictions.first.flat());
    const place = (sample: number) => placeOf(sample, places.get(sample) as string);
    stage.discard();
    const brokenFile = broken.finish();
    const met = readers[0]?.strata ?? [];
    const labels = truths[0]?.summary && {
      ...truths[0].summary,
      classes: truths[0].summary.classes.map((one) => ({
        ...one,
        class: truths[0]?.classOf?.(met.indexOf(one.label)) ?? -1,
      })),
      contradictions: {
        ...contradictions,
        first: contradictions.first.map((pair) =>
          pair.map((sample) => ({
            place: place(sample),
            label: met[stage.label(sample)] as string,
          })),
        ),
      },
    };
    const manifest: DatasetManifest = {
      format: DATASET_FORMAT,
      fingerprint,
      title,
      labels: [...(truths[0]?.classes ?? [])],
      measured: written.measured,
      spaces: Object.fromEntries(outputs.map(({ name }, i) => [name, truths[i]?.space])),
      buckets,
      sizes: written.sizes,
      statistics: statisticsOf({
        reader,
        inputs,
        notes,
        broken,
        origins,
        difference,
        labels,
        differing: comparesValues &&
          contradictions.texts > 0 && {
            contents: contradictions.texts,
            rows: contradictions.rows,
            first: contradictions.first.map((pair) => pair.map(place)),
          },
        classCounts: written.classCounts,
        left: written.left,
        parts: written.parts,
        tallies: written.tallies,
        shared: written.shared,
      }),
      files: { [SHOWN_FILE]: shown, ...written.files, [BROKEN_ROWS_FILE]: brokenFile },
    };
    writeManifest(folder, manifest);
    return manifest;
  } finally {
    broken.close();
    stage.close();
  }
}

/** Begins the reading of every output. */
async function beginTruths(
  { source, outputs, kept }: PrepareOptions,
  notes: readonly SourceNote[],
): Promise<TruthReader[]> {
  const declared = (await source.declares?.()) ?? {};
  return outputs.map(({ name, field, keys, truth }) =>
    truth.begin({ output: name, field, keys, title: source.title, declared: declared[field], kept, notes }),
  );
}

async function readRows(
  { source, signal, onProgress }: PrepareOptions,
  reader: RowReader,
  stage: SampleStage,
): Promise<void> {
  const take = (read: ReadRow) => {
    signal?.throwIfAborted();
    const sample = read();
    if (sample) stage.add(sample);
    if (reader.rows % PROGRESS_ROWS === 0) onProgress?.(reader.rows);
  };
  await inOrder(source.rows(signal), (row) => reader.begin(row), ROWS_AT_ONCE, take);
  signal?.throwIfAborted();
  onProgress?.(reader.rows);
}

/** Puts every sample into its split, and chooses those that keep their labels. */
function assign(
  stage: SampleStage,
  { source, splits = {}, kept, labelsPerClass, seed }: PrepareOptions,
  main: TruthReader | undefined,
  found: FoundTruth | undefined,
): { labelled: ReadonlySet<number> | undefined; origins: SplitOrigins; difference?: KeptDifference } {
  if (kept) {
    const byContent: SampleTable = tableOf(stage, 0, (sample) => stage.contentHash(sample));
    const assigned = assignKept(byContent, kept, (label) => found?.classOf?.(label) ?? label);
    return { ...assigned, origins: ORIGINS_KEPT };
  }
  const names = [...(main?.strata ?? [])];
  // Samples of which only other outputs are known are a class more.
  const table = tableOf(stage, names.length, (sample) => stage.identity(sample));
  if (names.length > 0 && hasOthers(stage)) names.push('');
  const origins = assignSplits(table, splits, source.title, names);
  // Published data: the order of positions chooses whom to train on, and then who keeps a label.
  if (source.positions && splits.train !== undefined) keepFirst(table, splits.train);
  const labelled = selectLabelled(table, labelsPerClass, seed);
  drawTraining(table, splits, labelled, names, seed);
  return { labelled, origins };
}

/** Shows what learns from values those of the labelled training samples. */
function fitTruths(
  readers: readonly TruthReader[],
  stage: SampleStage,
  labelled: ReadonlySet<number> | undefined,
): void {
  if (readers.every(({ fit }) => fit === undefined)) return;
  for (const { sample, outputs } of stage.values()) {
    if (stage.split(sample) !== TRAIN || labelled?.has(sample) === false) continue;
    for (const [i, reader] of readers.entries()) if (outputs[i] !== undefined) reader.fit?.(outputs[i]);
  }
}

function tableOf(stage: SampleStage, others: number, textHash: (sample: number) => number): KeyedTable {
  return {
    size: stage.size,
    groupHash: (sample) => stage.groupHash(sample),
    label(sample) {
      const label = stage.label(sample);
      return label === NO_CLASS ? others : label;
    },
    split: (sample) => stage.split(sample),
    assign: (sample, split) => stage.assign(sample, split),
    key: (sample) => stage.key(sample),
    textHash,
  };
}

function hasOthers(stage: SampleStage): boolean {
  for (let sample = 0; sample < stage.size; sample++) if (stage.label(sample) === NO_CLASS) return true;
  return false;
}

const ORIGINS_KEPT: SplitOrigins = {
  validation: { from: 'data', cut: 0, missing: 0 },
  test: { from: 'data', cut: 0, missing: 0 },
};

/** Where a row is, for the person: by its id or, where that is the hash of its content, by its number among the rows that were read. */
function placeOf(sample: number, id: string): string {
  return /^[0-9a-f]{32}(#\d+)?$/.test(id) ? `row ${sample + 1} of those read` : id;
}

function statisticsOf(found: {
  readonly reader: RowReader;
  readonly inputs: readonly DatasetInput[];
  readonly notes: SourceNote[];
  readonly broken: BrokenRowList;
  readonly origins: SplitOrigins;
  readonly difference: KeptDifference | undefined;
  readonly labels: LabelStatistics | undefined;
  readonly differing: DatasetStatistics['differing'] | false;
  readonly classCounts: DatasetStatistics['classCounts'];
  readonly left: Readonly<Record<number, number>>;
  readonly parts: NonNullable<DatasetStatistics['parts']>;
  readonly tallies: NonNullable<DatasetStatistics['tallies']>;
  readonly shared: NonNullable<DatasetStatistics['shared']>;
}): DatasetStatistics {
  const { reader, inputs, difference, labels, left } = found;
  const counts = reader.counts.map((one) => one.found());
  const texts = counts.find(({ unit }) => unit === 'tokens');
  return {
    rows: reader.rows,
    broken: found.broken.found,
    notes: found.notes,
    replaced: countOf(counts, 'replaced'),
    origins: found.origins,
    ...(difference && { kept: difference }),
    duplicates: left[DUPLICATE] ?? 0,
    unlabelledHeldOut: left[UNLABELLED_HELD_OUT] ?? 0,
    tokenLengths: texts?.lengths ?? [],
    ...(texts && { unknown: unknownOf(texts), longTexts: texts.long }),
    classCounts: found.classCounts,
    ...(labels && { labels }),
    ...(found.differing && { differing: found.differing }),
    inputs: Object.fromEntries(inputs.map(({ name }, i) => [name, counts[i] as InputStatistics])),
    ...(Object.keys(found.parts).length > 0 && { parts: found.parts }),
    ...(Object.keys(found.tallies).length > 0 && { tallies: found.tallies }),
    ...(Object.keys(found.shared).length > 0 && { shared: found.shared }),
  };
}

/** In how many samples a fact is true of any input, and the first of them. */
function countOf(counts: readonly InputStatistics[], name: string): { count: number; first?: string } {
  const facts = counts.flatMap(({ facts: own }) => own[name] ?? []);
  const first = facts.find((fact) => fact.first !== undefined)?.first;
  return {
    count: facts.reduce((sum, { samples }) => sum + samples, 0),
    ...(first !== undefined && { first }),
  };
}

function unknownOf({ facts }: InputStatistics): NonNullable<DatasetStatistics['unknown']> {
  const { samples = 0, total = 0, first } = facts.unknown ?? {};
  return { texts: samples, tokens: total, ...(first !== undefined && { first }) };
}
