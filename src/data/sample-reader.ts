import { LimbeckError } from '../errors.ts';
import { hexOf } from '../platform/bytes.ts';
import { createSha256 } from '../platform/hash.ts';
import { mixSeed } from '../random.ts';
import { SAMPLE_KEY_BYTES } from './batch.ts';
import type { BrokenRowList } from './broken-rows.ts';
import { type LabelNames, LabelReader } from './label-reader.ts';
import type { BrokenRow, SourceNote, SourceRow, SplitName, TextSample } from './sample.ts';
import type { StagedSample } from './sample-stage.ts';
import { TEST, TRAIN, VALIDATION } from './split-assignment.ts';
import { LongTextCounter } from './text-lengths.ts';
import type { Tokenizer } from './tokenizer.ts';

/** So many texts may take the tokenizer too long, 10 seconds each, before it is given up. */
const SLOW_TEXTS = 3;
const SPLIT_NUMBERS: Record<SplitName, number> = { train: TRAIN, validation: VALIDATION, test: TEST };

export interface SampleReaderOptions {
  tokenizer: Tokenizer;
  /** The allowed class names; those found in the data when absent. */
  labels?: readonly string[] | undefined;
  /** The class names that the data set declares. */
  declared?: readonly string[] | undefined;
  renameLabels?: LabelNames | undefined;
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
  readonly labels: LabelReader;
  /** What the source told of itself. */
  readonly notes: SourceNote[] = [];
  /** Samples whose text holds U+FFFD: another program could not read them before. */
  readonly replaced: { count: number; first?: string } = { count: 0 };
  readonly tokenLengths: number[];
  /** Texts with tokens that the vocabulary does not have, and the first of them. */
  readonly unknown: { texts: number; tokens: number; first?: string } = { texts: 0, tokens: 0 };
  /** Texts that `maxLength` cuts. */
  readonly long: LongTextCounter;
  rows = 0;
  #slowTexts = 0;

  constructor(options: SampleReaderOptions) {
    this.#options = options;
    this.labels = new LabelReader(options);
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
    if ('broken' in row) {
      // Where no row before had one class, the column holds lists.
      if (row.broken.labelList && !this.labels.hasLabels) throw this.#severalClasses(row.broken);
      return this.#skip(row.broken, 'data.broken-row');
    }
    const { sample } = row;
    const where = placeOf(sample);
    if (sample.text.trim() === '') {
      return this.#skip({ where, problem: 'the text is empty', reason: 'text' }, 'data.broken-row');
    }
    if (/\p{Surrogate}/u.test(sample.text)) {
      const problem = 'the text has half of a surrogate pair, which no encoding can store';
      return this.#skip({ where, problem, reason: 'encoding' }, 'data.broken-row');
    }
    const label = this.labels.read(sample);
    if (label === undefined) {
      const problem = this.labels.unknown(sample);
      return this.#skip({ where, problem, reason: 'unknown-label' }, 'data.unknown-label');
    }

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
    this.#countUnknown(ids, where);
    const key = createSha256().update(sample.text).digest().subarray(0, SAMPLE_KEY_BYTES);
    const id = sample.id ?? hexOf(key);
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

  /** The text's tokens, or what the tokenizer says against it: one text does not end a run, but several that take for ever do. */
  #encode(text: string): number[] | string {
    try {
      return this.#options.tokenizer.encode(text);
    } catch (error) {
      const code = error instanceof LimbeckError ? error.code : undefined;
      if (code === 'run.interrupted') throw error;
      if (code === 'tokenizer.too-slow' && ++this.#slowTexts === SLOW_TEXTS) throw error;
      return `the tokenizer does not read the text: ${(error as Error).message}`;
    }
  }

  #severalClasses({ where, problem }: BrokenRow): LimbeckError {
    return new LimbeckError(
      'data.multi-label',
      `several classes for a text are not supported yet: ${problem}`,
      {
        where: `${this.#options.title}, ${where}`,
        remedy:
          'Name a column with one class for each row (labelField), or write one: the most important class of each text.',
      },
    );
  }

  #countUnknown(ids: readonly number[], where: string): void {
    const { unknownId } = this.#options.tokenizer;
    const tokens = ids.reduce((count, id) => count + (id === unknownId ? 1 : 0), 0);
    if (tokens === 0) return;
    this.unknown.texts++;
    this.unknown.tokens += tokens;
    this.unknown.first ??= where;
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
