import type { Batch } from '../data/batch.ts';
import { columnOf } from '../data/batch.ts';
import { ATTENTION_MASK, INPUT_IDS, LABELS } from '../data/columns.ts';
import type { Dataset } from '../data/dataset.ts';
import { type LengthSummary, summarizeLengths } from '../data/findings/text-lengths.ts';
import { BROKEN_ROWS_FILE } from '../data/rows/broken-rows.ts';
import type { BrokenRows } from '../data/sample.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Recipe } from '../recipe/schema.ts';
import { stretches } from '../report/targets/frame-classes.ts';
import { type BoxSpace, boxesInList } from '../targets/box-grid.ts';
import { boxListColumn } from '../targets/boxes-truth.ts';
import { writtenSentence } from '../targets/sentence-words.ts';
import { requireStudentForm } from './compressing/require-student-form.ts';
import { interrupted, isStop } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import type { SampleUnit } from './context/sample-unit.ts';
import type { Task, TaskData } from './context/task.ts';
import { classFindings } from './data/class-findings.ts';
import { dataFindings } from './data/data-findings.ts';
import { pairFindings } from './data/pair-findings.ts';
import { untrainable } from './data/require-trainable.ts';
import { requireRuntimes } from './gates/require-runtimes.ts';
import { openTask } from './tasks/index.ts';
import { requireWriting } from './writing/require-writing.ts';

/** A class and its samples by split; `train` by their true class, `labelled` those whose label the student is given. */
export interface CheckedClass {
  name: string;
  train: number;
  labelled: number;
  validation: number;
  test: number;
}

/** A sample as models see it. */
export interface CheckedSample {
  text: string;
  /** What is true of its main output; null where nothing is known. */
  label: string | null;
  /** Of texts: the ids that models are given, without padding, and the token that each one is. */
  ids?: number[];
  pieces?: string[];
  /** Of images ([channels, height, width]) and sounds: the shape and the range of the values that models are given. */
  dims?: number[];
  range?: [number, number];
}

/** What was met of an input of the recipe. */
export interface CheckedInput {
  name: string;
  /** Samples that lack it, where there are several inputs. */
  missing: number;
  /** What was done to its values, or is odd about them: how many samples, and the first. */
  facts: { fact: string; samples: number; first?: string }[];
}

/** What a recipe's data come to. */
export interface DataCheck {
  /** The source, for people. */
  title: string;
  unit: SampleUnit;
  /** How files are read, a line each: `mails.csv: windows-1252, columns divided by ';'`. */
  formats: string[];
  /** Rows that were read, broken ones too. */
  rows: number;
  broken: BrokenRows;
  /** Samples left out because they are in another split too. */
  duplicates: number;
  splits: { train: number; labelled: number; validation: number; test: number };
  /** Of a main output with one class a sample. */
  classes: CheckedClass[];
  /** Of other outputs with classes (several a sample, spans, boxes): the samples that have each. */
  outputs: { name: string; classes: CheckedClass[] }[];
  /** By input, where there is something to tell. */
  inputs: CheckedInput[];
  /** In tokens; absent for images. */
  lengths?: LengthSummary & { maxLength: number };
  /** What a run would warn of, a sentence each. */
  warnings: string[];
  /** The first samples of each length, the shortest first. */
  samples: CheckedSample[];
}

const MOST_SAMPLES = 4;

/**
 * Reads a recipe's data as a run would and says what they are: rows, classes, lengths, what is wrong with them, and how
 * models see the first samples; and whether its student can be built and its transforms fit it, and the runtimes that it bounds are there. The run that
 * follows finds the data prepared. The teacher is opened and asked nothing.
 *
 * @throws LimbeckError `compress.invalid`, `measure.no-runtime`, `recipe.invalid` for a teacher that cannot write what it is to; of the data, the tokenizer and the teacher's files; `run.interrupted` after `options.signal`
 */
export async function check(recipe: Recipe, options: RunOptions): Promise<DataCheck> {
  try {
    const task = await openTask({ recipe, options });
    options.onEvent?.({ type: 'stage-start', stage: 'data', title: 'Read the data' });
    const started = performance.now();
    const data = await task.prepareData({
      onProgress: (rows) =>
        options.onEvent?.({
          type: 'progress',
          stage: 'data',
          task: 'reading',
          done: rows,
          total: 0,
          unit: 'rows',
        }),
    });
    const { dataset } = data;
    try {
      const seconds = (performance.now() - started) / 1000;
      const summary = `${dataset.statistics.rows} rows${dataset.reused ? '; prepared earlier' : ''}`;
      options.onEvent?.({ type: 'stage-end', stage: 'data', seconds, summary });
      if (!untrainable(data)) await requireStudentForm(recipe, data);
      await requireWriting(recipe, data);
      await requireRuntimes(recipe, options);
      return describe(task, data);
    } finally {
      dataset.close();
    }
  } catch (error) {
    throw isStop(error, options.signal) ? interrupted() : error;
  }
}

function describe(task: Task, { dataset, heads, classes: taught }: TaskData): DataCheck {
  const problem = untrainable({ dataset, heads });
  const { statistics, splits, labels, title } = dataset;
  const { classCounts, tokenLengths, longTexts } = statistics;
  const lengths = summarizeLengths(tokenLengths, longTexts);
  const { train, labelled, validation, test } = splits;
  return {
    title,
    unit: task.unit,
    formats: statistics.notes.flatMap(({ kind, message }) => (kind === 'format' ? [message] : [])),
    rows: statistics.rows,
    broken: statistics.broken,
    duplicates: statistics.duplicates,
    splits: {
      train: train.size,
      labelled: labelled.size,
      validation: validation.size,
      test: test.size,
    },
    classes: countedClasses(labels, classCounts),
    outputs: Object.entries(statistics.tallies ?? {}).map(([name, { names, samples }]) => ({
      name,
      classes: countedClasses(names, samples),
    })),
    inputs: inputsOf(dataset),
    ...(lengths && { lengths: { ...lengths, maxLength: tokenLengths.length - 1 } }),
    warnings: [
      ...(problem ? [problem.message] : []),
      ...(task.warnings ?? []),
      ...(task.teacher?.advice ?? []),
      // Nothing is written here.
      ...dataFindings(dataset, task.teacher, `a run lists them in ${BROKEN_ROWS_FILE}`),
      ...classFindings(dataset, taught),
      ...pairFindings({ dataset, heads }),
    ],
    samples: firstSamples(task, dataset),
  };
}

function countedClasses(
  names: readonly string[],
  counts: Dataset['statistics']['classCounts'],
): CheckedClass[] {
  return names.map((name, label) => ({
    name,
    train: counts.train[label] ?? 0,
    labelled: counts.labelled[label] ?? 0,
    validation: counts.validation[label] ?? 0,
    test: counts.test[label] ?? 0,
  }));
}

/** Facts that warnings speak of, where they matter. */
const TOLD = ['unknown', 'replaced'];

function inputsOf({ statistics }: Dataset): CheckedInput[] {
  return Object.entries(statistics.inputs ?? {}).flatMap(([name, { missing, facts }]) => {
    const told = Object.entries(facts)
      .filter(([fact]) => !TOLD.includes(fact))
      .map(([fact, { samples, first }]) => ({ fact, samples, ...(first !== undefined && { first }) }));
    return missing > 0 || told.length > 0 ? [{ name, missing, facts: told }] : [];
  });
}

/** A sample of several buckets, from the shortest to the longest. */
function firstSamples(task: Task, dataset: Dataset): CheckedSample[] {
  const split = dataset.splits.train;
  const filled = split.buckets.flatMap(({ size }, bucket) => (size > 0 ? [bucket] : []));
  const step = Math.max(1, (filled.length - 1) / (MOST_SAMPLES - 1));
  const chosen = new Set<number>();
  for (let at = 0; Math.round(at) < filled.length && chosen.size < MOST_SAMPLES; at += step)
    chosen.add(filled[Math.round(at)] as number);
  return [...chosen].map((bucket) => {
    const batch = split.readBatch(bucket, [0], 1);
    return {
      text: split.example(batch.ordinals[0] as number).text,
      label: truthOf(batch, dataset),
      ...seen(task, batch, dataset),
    };
  });
}

const MOST_NUMBERS = 4;

/** The truth of the main output of a batch's only row, for people. */
function truthOf({ columns }: Batch, { labels, spaces }: Dataset): string | null {
  const column = columns[LABELS];
  if (!column) return null;
  const list = columns[boxListColumn(LABELS)];
  if (list) return boxesInWords(list.data as Float32Array, Object.values(spaces)[0] as BoxSpace);
  const values = Array.from(column.data as Float32Array, Number);
  if (column.type === 'int32' && column.dims.length === 1) return labels[values[0] as number] ?? null;
  const [space] = Object.values(spaces) as [
    | {
        readonly names?: readonly string[];
        readonly words?: readonly string[];
        readonly kinds?: readonly string[];
      }
    | undefined,
  ];
  const { names, words, kinds } = space ?? {};
  if (kinds) return spansInWords(values, kinds);
  if (words) return (values[0] as number) < 0 ? null : writtenSentence(values, words);
  // A class for each frame.
  if (names && column.type === 'int32' && column.dims.length === 2)
    return values.every((value) => value < 0) ? null : stretches(values, names);
  if (names?.length === values.length) {
    if (values.every((value) => value < 0)) return null;
    return names.filter((_, i) => values[i] === 1).join(', ') || 'none of the classes';
  }
  // Nobody knows: a number or a vector that its row does not have.
  if (values.every(Number.isNaN)) return null;
  const shown = values.slice(0, MOST_NUMBERS).map((value) => `${Number(value.toPrecision(4))}`);
  return `${shown.join(', ')}${values.length > MOST_NUMBERS ? `, ... (${values.length} numbers)` : ''}`;
}

/** `2 spans: PER, ORG`; null where nobody says which there are. @param tags 0 outside, 1 + 2k where a span of kind k begins, 2 + 2k in it */
function spansInWords(tags: readonly number[], kinds: readonly string[]): string | null {
  if (tags.every((tag) => tag < 0)) return null;
  const spans = tags.filter((tag) => tag > 0 && tag % 2 === 1).map((tag) => kinds[(tag - 1) >> 1]);
  if (spans.length === 0) return 'no spans';
  const shown = spans.slice(0, MOST_NUMBERS).join(', ');
  return `${spans.length === 1 ? 'a span' : `${spans.length} spans`}: ${shown}${spans.length > MOST_NUMBERS ? ', ...' : ''}`;
}

/** `2 boxes: cat, dog`; null where nobody says which there are. */
function boxesInWords(list: Float32Array, { names }: BoxSpace): string | null {
  const boxes = boxesInList(list);
  if (!boxes) return null;
  if (boxes.length === 0) return 'no boxes';
  const shown = boxes.slice(0, MOST_NUMBERS).map(({ kind }) => names[kind]);
  const count = boxes.length === 1 ? 'a box' : `${boxes.length} boxes`;
  return `${count}: ${shown.join(', ')}${boxes.length > MOST_NUMBERS ? ', ...' : ''}`;
}

/** The tokens of a batch's only row, and the values of its image or sound. */
function seen(task: Task, batch: Batch, dataset: Dataset): Partial<CheckedSample> {
  const values = dataset.columns.find(({ role, type }) => role === 'input' && type === 'float32');
  return {
    ...(batch.columns[INPUT_IDS] && tokensOf(task, batch)),
    ...(values && rangeOf(columnOf(batch, values.name))),
  };
}

function tokensOf(task: Task, batch: Batch): Pick<CheckedSample, 'ids' | 'pieces'> {
  const [given, mask] = [INPUT_IDS, ATTENTION_MASK].map((name) => columnOf(batch, name).data) as [
    BigInt64Array,
    BigInt64Array,
  ];
  const ids = Array.from(given, Number).filter((_, i) => mask[i] === 1n);
  return { ids, ...(task.token && { pieces: ids.map(task.token) }) };
}

function rangeOf({ data, dims }: Tensor): Pick<CheckedSample, 'dims' | 'range'> {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data as Float32Array) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { dims: dims.slice(1), range: [low, high] };
}
