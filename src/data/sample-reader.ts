import { createHash } from 'node:crypto';
import { closest } from 'fastest-levenshtein';
import { LimbeckError } from '../errors.ts';
import { mixSeed } from '../random.ts';
import { SAMPLE_KEY_BYTES } from './batch.ts';
import type { BrokenRowList } from './broken-rows.ts';
import type { BrokenRow, SourceNote, SourceRow, SplitName, TextSample } from './sample.ts';
import type { StagedSample } from './sample-stage.ts';
import { TEST, TRAIN, VALIDATION } from './split-assignment.ts';
import { LongTextCounter } from './text-lengths.ts';
import type { Tokenizer } from './tokenizer.ts';

const SPLIT_NUMBERS: Record<SplitName, number> = { train: TRAIN, validation: VALIDATION, test: TEST };
/** More classes than this, found in data, mean that the label field holds something else than labels. */
const MOST_LABELS = 10_000;

export interface SampleReaderOptions {
  tokenizer: Tokenizer;
  /** The allowed class names; those found in the data when absent. */
  labels: readonly string[] | undefined;
  maxLength: number;
  seed: number;
  onBrokenRow: 'skip' | 'fail';
  /** Where broken rows are counted. */
  broken: BrokenRowList;
  /** The source, for errors. */
  title: string;
}

/** Turns a source's rows into tokenized samples, and counts what it meets. */
export class SampleReader {
  readonly #options: SampleReaderOptions;
  /** Class names in the order of their numbers: the given list, or as they were met. */
  readonly labels: string[];
  readonly #numbers: Map<string, number>;
  /** What the source told of itself. */
  readonly notes: SourceNote[] = [];
  /** Samples whose text holds U+FFFD: another program could not read them before. */
  readonly replaced: { count: number; first?: string } = { count: 0 };
  readonly tokenLengths: number[];
  /** Texts that `maxLength` cuts. */
  readonly long: LongTextCounter;
  rows = 0;

  constructor(options: SampleReaderOptions) {
    this.#options = options;
    this.labels = [...(options.labels ?? [])];
    this.#numbers = new Map(this.labels.map((label, number) => [label, number]));
    this.tokenLengths = new Array<number>(options.maxLength + 1).fill(0);
    this.long = new LongTextCounter(options.maxLength);
  }

  /** The sample of a row, or undefined for a broken row that is skipped and for a note. */
  read(row: SourceRow): StagedSample | undefined {
    if ('note' in row) {
      this.notes.push(row.note);
      return undefined;
    }
    this.rows++;
    if ('broken' in row) return this.#skip(row.broken, 'data.broken-row');
    const { sample } = row;
    const where = placeOf(sample);
    if (sample.text.trim() === '') {
      return this.#skip({ where, problem: 'the text is empty', reason: 'text' }, 'data.broken-row');
    }
    if (/\p{Surrogate}/u.test(sample.text)) {
      const problem = 'the text has half of a surrogate pair, which no encoding can store';
      return this.#skip({ where, problem, reason: 'encoding' }, 'data.broken-row');
    }
    const label = sample.label === undefined ? -1 : this.#number(sample.label);
    if (label === undefined) return this.#skip(this.#unknownLabel(sample), 'data.unknown-label');

    const { tokenizer, maxLength, seed } = this.#options;
    const whole = this.#encode(sample.text);
    if (typeof whole === 'string' || whole.length === 0) {
      const problem = typeof whole === 'string' ? whole : 'the text has no tokens';
      return this.#skip({ where, problem, reason: 'tokens' }, 'data.broken-row');
    }
    if (whole.length > maxLength) this.long.add(whole.length);
    if (sample.text.includes('\ufffd')) {
      this.replaced.count++;
      this.replaced.first ??= where;
    }
    const ids = tokenizer.cut(whole, maxLength);
    (this.tokenLengths[ids.length] as number)++;
    const key = createHash('sha256').update(sample.text).digest().subarray(0, SAMPLE_KEY_BYTES);
    const id = sample.id ?? key.toString('hex');
    return {
      id,
      text: sample.text,
      key,
      label,
      groupHash: mixSeed(seed, 'split', sample.group ?? id) >>> 0,
      split: SPLIT_NUMBERS[sample.split ?? 'train'],
      ids,
    };
  }

  /** The text's tokens, or what the tokenizer says against it: one text does not end a run. */
  #encode(text: string): number[] | string {
    try {
      return this.#options.tokenizer.encode(text);
    } catch (error) {
      return `the tokenizer does not read the text: ${(error as Error).message}`;
    }
  }

  #number(label: string): number | undefined {
    const known = this.#numbers.get(label);
    if (known !== undefined || this.#options.labels) return known;
    if (this.labels.length === MOST_LABELS) {
      throw new LimbeckError('data.too-many-labels', `the label field has more than ${MOST_LABELS} values`, {
        where: this.#options.title,
        remedy: 'Name the field that holds the class, or list the classes in data.labels.',
      });
    }
    this.labels.push(label);
    this.#numbers.set(label, this.labels.length - 1);
    return this.labels.length - 1;
  }

  #unknownLabel(sample: TextSample): BrokenRow {
    const nearest = closest(sample.label as string, this.labels);
    return {
      where: placeOf(sample),
      reason: 'unknown-label',
      problem: `label '${sample.label}' is not in data.labels (the nearest there is '${nearest}')`,
    };
  }

  #skip(broken: BrokenRow, code: 'data.broken-row' | 'data.unknown-label'): undefined {
    if (this.#options.onBrokenRow === 'fail') {
      throw new LimbeckError(code, broken.problem, {
        where: `${this.#options.title}, ${broken.where}`,
        remedy:
          code === 'data.unknown-label'
            ? 'Add it to data.labels, correct the row, or set data.onBrokenRow: skip.'
            : 'Correct the row, or set data.onBrokenRow: skip.',
      });
    }
    this.#options.broken.add(broken);
  }
}

/** Where a sample comes from, for the person: its own name first, if it has one. */
function placeOf({ where, id }: TextSample): string {
  if (where === undefined || id === undefined) return where ?? id ?? 'a row';
  return `${id} (${where})`;
}
