import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { numberOfName } from '../data/labels/class-name.ts';
import { shownValue } from '../data/labels/label-value.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';

/** Where the numbers of the labelled training samples lie: a student begins with answers of this mean and spread. */
export interface NumberSpace {
  readonly mean: number;
  /** The standard deviation; 1 where all values are one. */
  readonly deviation: number;
}

/** Texts that mean that there is no number, as pandas and R write them. */
const NOTHING = /^\s*(nan|n\/?a|null|none)?\s*$/i;

/**
 * A number for each row: float32 [1], NaN where there is none (nothing, NaN, `NA`). Texts that are numbers (`3.5`, `-1e3`) count
 * as such.
 */
export function numberTruth(): GroundTruth<number, NumberSpace> {
  return {
    hash: canonicalJson({ number: 3 }),
    marksMissing: true,
    begin: (context) => new NumberReader(context),
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

  constructor(context: TruthContext) {
    this.#context = context;
  }

  read(raw: unknown): number | undefined {
    if (raw === undefined || raw === null || Number.isNaN(raw)) return undefined;
    if (typeof raw === 'string' && NOTHING.test(raw)) return undefined;
    const value = typeof raw === 'string' ? numberOfName(raw) : typeof raw === 'bigint' ? Number(raw) : raw;
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
      throw new BrokenValue('value', `'${this.#context.field}' is ${shownValue(raw)}, ${whyNoNumber(raw)}`);
    return value;
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
    return { space: { mean: Math.fround(this.#mean), deviation: Math.fround(deviation) } };
  }
}

function whyNoNumber(raw: unknown): string {
  if (typeof raw === 'number' || typeof raw === 'bigint') return 'which float32 cannot hold';
  const isComma = typeof raw === 'string' && /\d,\d/.test(raw);
  return isComma ? 'which is no number: write 3.5 for 3,5' : 'which is no number';
}
