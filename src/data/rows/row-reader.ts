import { LimbeckError } from '../../errors.ts';
import { hexOf, joinBytes } from '../../platform/bytes.ts';
import { sha256Of } from '../../platform/hash.ts';
import { mixSeed } from '../../random.ts';
import { SAMPLE_KEY_BYTES } from '../batch.ts';
import { BrokenValue } from '../broken-value.ts';
import type { TruthReader } from '../ground-truth.ts';
import { withPlainIntegers } from '../labels/label-value.ts';
import type { Encoded } from '../modalities/modality.ts';
import { keysInOutputs, type OutputKeys } from '../output-keys.ts';
import type { DatasetInput } from '../prepared/dataset-parts.ts';
import { NO_CLASS, type StagedSample } from '../prepared/sample-stage.ts';
import type {
  BrokenReason,
  BrokenRow,
  DataSource,
  Sample,
  SourceNote,
  SourceRow,
  SplitName,
} from '../sample.ts';
import { Permutation } from '../splits/permutation.ts';
import { TEST, TRAIN, VALIDATION } from '../splits/split-assignment.ts';
import type { BrokenRowList } from './broken-rows.ts';
import { InputCounts } from './input-counts.ts';

const SPLIT_NUMBERS: Record<SplitName, number> = { train: TRAIN, validation: VALIDATION, test: TEST };

export interface RowReaderOptions {
  readonly inputs: readonly DatasetInput[];
  readonly outputs: readonly {
    readonly name: string;
    readonly field: string;
    readonly keys?: OutputKeys | undefined;
    readonly reader: TruthReader;
  }[];
  readonly seed: number;
  readonly onBrokenRow: 'skip' | 'fail';
  /** Where broken rows are counted. */
  readonly broken: BrokenRowList;
  /** What the source has told; what it tells on the way is added. */
  readonly notes: SourceNote[];
  readonly source: Pick<DataSource, 'title' | 'positions'>;
}

/** What becomes of a row when its turn comes: a sample, or undefined for a broken row that is skipped and for a note. */
export type ReadRow = () => StagedSample | undefined;

type Encodings = readonly (Encoded | undefined)[];

/** Turns a source's rows into encoded samples, and counts what it meets. */
export class RowReader {
  readonly #options: RowReaderOptions;
  /** Of each input. */
  readonly counts: readonly InputCounts[];
  rows = 0;
  /** Of data whose samples are known by their position: the order of each part, and rows of it so far. */
  readonly #parts: Readonly<Record<'train' | 'test', Part>> | undefined;

  constructor(options: RowReaderOptions) {
    this.#options = options;
    this.counts = options.inputs.map(({ processor }) => new InputCounts(processor.axis));
    const { positions } = options.source;
    this.#parts = positions && {
      train: newPart(positions.train, options.seed, 'validation-pictures'),
      test: newPart(positions.test, options.seed, 'test-pictures'),
    };
  }

  /**
   * Begins to read a row: encodes its inputs, several rows at a time where that takes a while. What it gives is called in
   * the order of the rows.
   */
  begin(row: SourceRow): ReadRow | Promise<ReadRow> {
    if ('note' in row) {
      return () => {
        this.#options.notes.push(row.note);
        return undefined;
      };
    }
    if ('broken' in row) {
      return () => {
        this.#place(undefined);
        return this.#skip(row.broken);
      };
    }
    const { sample } = row;
    try {
      const encoded = this.#options.inputs.map((input) => this.#encode(input, sample));
      if (!encoded.some(isPromise)) return () => this.#read(sample, encoded as Encodings);
      return Promise.all(encoded).then(
        (all): ReadRow =>
          () =>
            this.#read(sample, all),
        (error: unknown): ReadRow =>
          () =>
            this.#read(sample, undefined, error),
      );
    } catch (error) {
      return () => this.#read(sample, undefined, error);
    }
  }

  /** @param error why its inputs could not be encoded, where they could not */
  #read(sample: Sample, encoded: Encodings | undefined, error?: unknown): StagedSample | undefined {
    const hash = this.#place(sample.split);
    const where = placeOf(sample);
    try {
      if (!encoded) throw error;
      if (encoded.every((one) => one === undefined)) {
        const names = this.#options.inputs.map(({ fields }) => `'${fields.join("', '")}'`).join(', ');
        throw new BrokenValue('missing', `none of ${names} has a value`);
      }
      return this.#staged(sample, where, encoded, hash);
    } catch (error) {
      if (!(error instanceof BrokenValue)) throw error;
      const { message: problem, reason } = error;
      return this.#skip({ where, problem, reason, ...(sample.excerpt && { excerpt: sample.excerpt }) });
    }
  }

  #staged(sample: Sample, where: string, encoded: Encodings, position: number | undefined): StagedSample {
    const { inputs, outputs, seed } = this.#options;
    const byName: Record<string, Encoded | undefined> = {};
    for (let i = 0; i < inputs.length; i++) byName[(inputs[i] as DatasetInput).name] = encoded[i];
    const values = outputs.map(({ field, reader }) =>
      reader.read(withPlainIntegers(sample.values[field]), { where, encoded: byName }),
    );
    for (let i = 0; i < this.counts.length; i++) (this.counts[i] as InputCounts).add(encoded[i], where);
    const key = keyOf(encoded);
    const id = sample.id ?? hexOf(key);
    return {
      id,
      key,
      inputs: encoded,
      outputs: values,
      label: labelOf(values, outputs[0]?.reader),
      groupHash: position ?? mixSeed(seed, 'split', sample.group ?? id) >>> 0,
      split: SPLIT_NUMBERS[sample.split ?? 'train'],
    };
  }

  /** Counts a row; its place in the order of its part, as a hash, where samples are known by their position. */
  #place(split: SplitName | undefined): number | undefined {
    this.rows++;
    const part = this.#parts?.[split === 'test' ? 'test' : 'train'];
    if (!part) return undefined;
    return Math.floor((part.order.at(part.read++) / part.size) * 2 ** 32) >>> 0;
  }

  /** What is kept of an input of a row; undefined where it is missing, which only one of several inputs may be. */
  #encode(input: DatasetInput, sample: Sample): Encoded | undefined | Promise<Encoded | undefined> {
    const { fields, processor, resolve } = input;
    const several = this.#options.inputs.length > 1;
    const raw = fields.map((field) => rawValue(sample, field, resolve));
    if (several && raw.every(isMissing)) return undefined;
    for (const field of fields) {
      if (Object.hasOwn(sample.values, field)) continue;
      const columns = Object.keys(sample.values).join(', ').slice(0, 200);
      throw new BrokenValue(
        reasonOf(input.modality),
        `there is no '${field}' (the row has: ${columns || 'nothing'})`,
      );
    }
    return processor.encode(fields.length === 1 ? raw[0] : raw);
  }

  #skip(broken: BrokenRow): undefined {
    if (this.#options.onBrokenRow === 'fail') {
      const unknown = broken.reason === 'unknown-label';
      throw new LimbeckError(unknown ? 'data.unknown-label' : 'data.broken-row', broken.problem, {
        where: `${this.#options.source.title}, ${broken.where}`,
        remedy: unknown
          ? `Add it to ${labelKeys(this.#options.outputs)}, correct the row, or set data.onBrokenRow: skip.`
          : 'Correct the row, or set data.onBrokenRow: skip.',
      });
    }
    this.#options.broken.add(broken);
  }
}

interface Part {
  readonly size: number;
  readonly order: Permutation;
  read: number;
}

function newPart(size: number, seed: number, label: string): Part {
  return { size, order: new Permutation(size, seed, label), read: 0 };
}

/** A value as its input reads it: what names a file has the file's whole path. */
function rawValue({ values, folder }: Sample, field: string, resolve: DatasetInput['resolve']): unknown {
  const value = values[field];
  if (!resolve || isMissing(value)) return value;
  const path = typeof value === 'string' ? value : hasBytes(value) ? undefined : pathOf(value);
  if (path === undefined) return value;
  try {
    return { path: resolve(folder, path), ...(isRelative(path) && { name: path }) };
  } catch (error) {
    if (!(error instanceof LimbeckError)) throw error;
    throw new BrokenValue('other', `'${field}' names a file that may not be read: ${error.message}`);
  }
}

/** Whether a path tells a person where a file lies among the data, and nothing of the machine. */
function isRelative(path: string): boolean {
  return path !== '' && !/^([/\\]|[A-Za-z]:)/.test(path);
}

/** Parquet files of the hub have the bytes beside the path that they once had. */
function hasBytes(value: unknown): boolean {
  return (value as { bytes?: unknown } | undefined)?.bytes instanceof Uint8Array;
}

function pathOf(value: unknown): string | undefined {
  const path = (value as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function reasonOf(modality: string): BrokenReason {
  return modality === 'text' || modality === 'image' || modality === 'audio' ? modality : 'value';
}

function isPromise(value: unknown): boolean {
  return value instanceof Promise;
}

/** The hash of a sample's content: of its only input, or of all its inputs' hashes. */
function keyOf(encoded: Encodings): Uint8Array {
  const hashes = encoded.map((one) => (one ? sha256Of(one.content ?? one.bytes) : new Uint8Array(32)));
  const [first] = hashes;
  const whole = hashes.length === 1 && first ? first : sha256Of(joinBytes(hashes));
  return whole.subarray(0, SAMPLE_KEY_BYTES);
}

/** Where classes are listed: one of these outputs has met a class that is not. */
function labelKeys(outputs: RowReaderOptions['outputs']): string {
  return outputs.map(({ name, keys = keysInOutputs(name) }) => keys.labels).join(' or ');
}

/** The number of the main output's stratum. Without outputs every sample is as good as the others. */
function labelOf(values: readonly unknown[], main: TruthReader | undefined): number {
  if (values.length === 0) return 0;
  const [value] = values;
  if (value !== undefined) return main?.stratum?.(value) ?? 0;
  return values.some((one) => one !== undefined) ? NO_CLASS : -1;
}

/** Where a sample comes from, for the person: its own name first, if it has one. */
function placeOf({ where, id }: Sample): string {
  if (where === undefined || id === undefined) return where ?? id ?? 'a row';
  return id === where ? where : `${id} (${where})`;
}
