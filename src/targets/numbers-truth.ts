import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { shownValue } from '../data/labels/label-value.ts';
import { type DecimalMark, NumberForms, whyNoNumber, writtenNumber } from '../data/labels/written-numbers.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';

/** Where the numbers of the labelled training samples lie: a student begins with answers of this mean and spread. */
export interface NumberSpace {
  readonly mean: number;
  /** The standard deviation; 1 where all values are one. */
  readonly deviation: number;
}

const TOO_LARGE = 'which float32 cannot hold';
/** Texts that mean that there is no number, as pandas and R write them. */
const NOTHING = /^\s*(nan|n\/?a|null|none)?\s*$/i;

/**
 * A number for each row: float32 [1], NaN where there is none (nothing, NaN, `NA`). Texts that are numbers (`3.5`, `-1e3`) count
 * as such; with a decimal mark also those whose thousands are divided (`1.250,5`).
 */
export function numberTruth({ decimal }: { decimal?: DecimalMark } = {}): GroundTruth<number, NumberSpace> {
  return {
    hash: canonicalJson({ number: 4, ...(decimal && { decimal }) }),
    marksMissing: true,
    begin: (context) => new NumberReader(context, decimal),
    columns: (_, name) => [{ name, type: 'float32', shape: [1], pad: Number.NaN, role: 'target' }],
    write(value, columns, row, _, name) {
      (columns[name]?.data as Float32Array)[row] = value;
    },
  };
}

class NumberReader implements TruthReader<number, NumberSpace> {
  readonly #context: TruthContext;
  #count = 0;
  #mean = 0;
  #squares = 0;
  readonly #decimal: DecimalMark | undefined;
  readonly #forms = new NumberForms();

  constructor(context: TruthContext, decimal: DecimalMark | undefined) {
    this.#context = context;
    this.#decimal = decimal;
  }

  /** The key of the recipe that says the decimal mark. */
  get #key(): string {
    return `outputs.${this.#context.output}.decimal`;
  }

  read(raw: unknown): number | undefined {
    if (raw === undefined || raw === null || Number.isNaN(raw)) return undefined;
    if (typeof raw === 'string') return NOTHING.test(raw) ? undefined : this.#ofText(raw);
    const value = typeof raw === 'bigint' ? Number(raw) : raw;
    if (typeof value !== 'number') throw this.#broken(raw, 'which is no number');
    if (!Number.isFinite(Math.fround(value))) throw this.#broken(raw, TOO_LARGE);
    return value;
  }

  #ofText(text: string): number {
    const value = writtenNumber(text, this.#decimal);
    if (value === undefined) {
      this.#forms.addOther(text);
      throw this.#broken(text, whyNoNumber(text, this.#key));
    }
    if (!Number.isFinite(Math.fround(value))) throw this.#broken(text, TOO_LARGE);
    this.#forms.addPlain(text);
    return value;
  }

  #broken(raw: unknown, why: string): BrokenValue {
    return new BrokenValue('value', `'${this.#context.field}' is ${shownValue(raw)}, ${why}`);
  }

  fit(value: number): void {
    this.#count++;
    const distance = value - this.#mean;
    this.#mean += distance / this.#count;
    this.#squares += distance * (value - this.#mean);
  }

  finish() {
    const { field, title, output, keys = keysInOutputs(output) } = this.#context;
    const deviation = this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : 0;
    if (this.#count === 0 || deviation === 0) {
      const problem =
        this.#count === 0
          ? `no labelled training sample has a number in '${field}'`
          : `'${field}' is ${this.#mean} in all labelled training samples`;
      throw new LimbeckError('data.one-value', `${problem}: there is nothing to learn`, {
        where: title,
        remedy: fieldRemedy(keys, 'the number'),
      });
    }
    // The spacing of float32 numbers at the mean.
    const spacing = 2 ** (Math.floor(Math.log2(Math.abs(this.#mean) || 1)) - 23);
    if (spacing > deviation / 10) {
      throw new LimbeckError(
        'data.precision',
        `the numbers in '${field}' lie around ${Math.round(this.#mean)} and differ by less than float32 tells apart`,
        { where: title, remedy: `Subtract ${Math.round(this.#mean)} from them in the data.` },
      );
    }
    const note = this.#ambiguity();
    return {
      space: { mean: Math.fround(this.#mean), deviation: Math.fround(deviation) },
      ...(note && { notes: [{ kind: 'numbers' as const, message: note }] }),
    };
  }

  /**
   * What was assumed of numbers that may be others; undefined where nothing was.
   *
   * @throws LimbeckError `data.ambiguous-numbers` where other rows speak against it
   */
  #ambiguity(): string | undefined {
    const { either, grouped, hasDecimals } = this.#forms;
    if (this.#decimal !== undefined || either === undefined || hasDecimals) return undefined;
    const { field, title } = this.#context;
    const value = Number(either);
    if (grouped === undefined)
      return `'${field}' has ${either} and the like, which are read as ${value}: if points divide thousands, set ${this.#key}: ','; if not, '.'`;
    throw new LimbeckError(
      'data.ambiguous-numbers',
      `'${field}' has ${grouped}, so that ${either} is ${writtenNumber(either, ',')} rather than ${value}`,
      { where: title, remedy: `Say which mark stands before decimals: ${this.#key}: ',' or '.'.` },
    );
  }
}
