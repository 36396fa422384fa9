import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { numberOfName } from '../data/labels/class-name.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';

/** Where the numbers of the labelled training samples lie: a student begins with answers of this mean and spread. */
export interface NumberSpace {
  readonly mean: number;
  /** The standard deviation; 1 where all values are one. */
  readonly deviation: number;
}

/** A number for each row: float32 [1], NaN where there is none. Texts that are numbers (`3.5`, `-1e3`) count as such. */
export function numberTruth(): GroundTruth<number, NumberSpace> {
  return {
    hash: canonicalJson({ number: 2 }),
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
    if (raw === undefined || raw === null || raw === '') return undefined;
    const value = typeof raw === 'string' ? numberOfName(raw) : typeof raw === 'bigint' ? Number(raw) : raw;
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
      throw new BrokenValue('value', `'${this.#context.field}' is no number`);
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
    return { space: { mean: Math.fround(this.#mean), deviation: Math.fround(deviation) } };
  }
}
