import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** The classes of frames, and how many frames a sample has. */
export interface FrameSpace {
  readonly names: readonly string[];
  readonly frames: number;
}

/** Of a frame about which nothing is known. */
const NONE = -1;
const MOST_FRAMES = 100_000;

/**
 * A class for each frame: int32 [frames], -1 where it is unknown. Rows have a list of class numbers, or of names; all lists
 * have one length.
 */
export function frameLabelsTruth(names: readonly string[]): GroundTruth<number[], FrameSpace> {
  return {
    hash: canonicalJson({ frames: names }),
    marksMissing: true,
    begin: (context) => new FrameReader(context, names),
    columns: ({ frames }, name) => [{ name, type: 'int32', shape: [frames], pad: NONE, role: 'target' }],
    write(value, columns, row, { frames }, name) {
      ((columns[name] as Tensor).data as Int32Array).set(value, row * frames);
    },
  };
}

class FrameReader implements TruthReader<number[], FrameSpace> {
  readonly #context: TruthContext;
  readonly #names: readonly string[];
  #frames: number | undefined;

  constructor(context: TruthContext, names: readonly string[]) {
    this.#context = context;
    this.#names = names;
  }

  read(raw: unknown): number[] | undefined {
    if (raw === undefined || raw === null || raw === '') return undefined;
    const list = this.#listOf(raw);
    this.#frames ??= list.length;
    if (list.length !== this.#frames)
      throw new BrokenValue(
        'label',
        `'${this.#context.field}' has ${list.length} frames, other rows ${this.#frames}`,
      );
    return list.map((one) => this.#classOf(one));
  }

  finish() {
    const { field, title, output, keys = keysInOutputs(output) } = this.#context;
    if (this.#frames === undefined) {
      throw new LimbeckError('data.one-class', `no row has classes of frames in '${field}'`, {
        where: title,
        remedy: fieldRemedy(keys, 'a list with a class for each frame'),
      });
    }
    return {
      space: { names: this.#names, frames: this.#frames },
      tally: { names: this.#names, of: (value: number[]) => value.filter((number) => number !== NONE) },
    };
  }

  #listOf(raw: unknown): readonly unknown[] {
    const value =
      typeof raw === 'string' ? parsed(raw) : ArrayBuffer.isView(raw) ? Array.from(raw as Uint8Array) : raw;
    if (!Array.isArray(value) || value.length === 0 || value.length > MOST_FRAMES)
      throw new BrokenValue('label', `'${this.#context.field}' is no list of classes of frames`);
    return value;
  }

  #classOf(value: unknown): number {
    if (value === null) return NONE;
    const place = typeof value === 'string' ? this.#names.indexOf(value) : Number(value);
    if (Number.isInteger(place) && place >= 0 && place < this.#names.length) return place;
    if (value === NONE) return NONE;
    throw new BrokenValue(
      'unknown-label',
      `'${String(value).slice(0, 40)}' in '${this.#context.field}' is no class of a frame (${this.#names.join(', ')})`,
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
