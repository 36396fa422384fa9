import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';

export interface VectorSpace {
  readonly width: number;
}

/** Wider vectors than any encoder's mean that the field holds something else. */
const WIDEST = 65_536;

/** A vector for each row, float32 [width], all of one width; NaN where there is none. Lists and texts that are JSON lists. */
export function vectorTruth(width?: number): GroundTruth<Float32Array, VectorSpace> {
  return {
    hash: canonicalJson({ vector: width ?? 'any', version: 2 }),
    marksMissing: true,
    begin: (context) => new VectorReader(context, width),
    columns: (space, name) => [
      { name, type: 'float32', shape: [space.width], pad: Number.NaN, role: 'target' },
    ],
    write(value, columns, row, space, name) {
      const { data } = columns[name] as Tensor;
      (data as Float32Array).set(value, row * space.width);
    },
  };
}

class VectorReader implements TruthReader<Float32Array, VectorSpace> {
  readonly #context: TruthContext;
  #width: number | undefined;

  constructor(context: TruthContext, width: number | undefined) {
    this.#context = context;
    this.#width = width;
  }

  read(raw: unknown): Float32Array | undefined {
    if (raw === undefined || raw === null || raw === '') return undefined;
    const { field } = this.#context;
    const list = typeof raw === 'string' ? jsonOf(raw, field) : raw;
    if (
      !(Array.isArray(list) || list instanceof Float32Array || list instanceof Float64Array) ||
      list.length === 0
    )
      throw new BrokenValue('value', `'${field}' is no list of numbers`);
    if (list.length > WIDEST) throw new BrokenValue('value', `'${field}' has ${list.length} numbers`);
    const vector = Float32Array.from(list as ArrayLike<number>, (value: unknown) =>
      typeof value === 'number' ? value : Number.NaN,
    );
    if (!vector.every(Number.isFinite))
      throw new BrokenValue('value', `'${field}' has an element that is no number`);
    if (vector.every((one) => one === 0))
      throw new BrokenValue('value', `'${field}' has zeros alone, which point nowhere`);
    this.#width ??= vector.length;
    if (vector.length !== this.#width)
      throw new BrokenValue('value', `'${field}' has ${vector.length} numbers, not ${this.#width}`);
    return vector;
  }

  finish() {
    const { field, title, output, keys = keysInOutputs(output) } = this.#context;
    if (this.#width === undefined) {
      throw new LimbeckError('data.one-value', `no row has a vector in '${field}'`, {
        where: title,
        remedy: fieldRemedy(keys, 'the vector', ', or leave it out and let a teacher give it'),
      });
    }
    return { space: { width: this.#width } };
  }
}

function jsonOf(text: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokenValue('value', `'${field}' is no JSON list of numbers`);
  }
}
