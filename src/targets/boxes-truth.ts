import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { orderClasses } from '../data/labels/class-order.ts';
import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';
import {
  BOX_NUMBERS,
  type BoxSpace,
  boxesInList,
  type CentredBox,
  SIZE_CHANNELS,
  writeBoxes,
  writeBoxList,
} from './box-grid.ts';
import { movedBoxes } from './moved-boxes.ts';

export interface BoxOptions {
  readonly labels?: readonly string[] | undefined;
  /** Rows and columns of the map. */
  readonly grid: readonly [number, number];
  /** [width, height] that pixels are counted in; numbers are parts of width and height when absent. */
  readonly imageSize?: readonly [number, number] | undefined;
}

const MOST_KINDS = 1000;
const MOST_BOXES = 1000;

/** The column with the boxes of a sample as a list, beside the one with their maps. */
export function boxListColumn(name: string): string {
  return `${name}/list`;
}

/**
 * Boxes of things on an image: as a list, float32 [most boxes, 5] (see `writeBoxList`), which lies on disk and moves with the
 * image, and float32 [4 + classes, rows, columns] (see `writeBoxes`), made of it; NaN for a row of which nobody knows.
 * Rows have lists (or texts that are JSON lists) of `{ label, x, y, width, height }`, the corner at the left and top, or of
 * `{ label, box: [x, y, width, height] }`, or of `{ label, left, top, right, bottom }`.
 */
export function boxesTruth(options: BoxOptions): GroundTruth<number[], BoxSpace> {
  const [rows, columns] = options.grid;
  return {
    hash: canonicalJson({ boxes: { ...options } }),
    marksMissing: true,
    begin: (context) => new BoxReader(options, context),
    columns: ({ most }, name) => [
      {
        name: boxListColumn(name),
        type: 'float32',
        shape: [most, BOX_NUMBERS],
        pad: Number.NaN,
        role: 'target',
      },
    ],
    write(value, all, row, _, name) {
      writeBoxList(boxesOf(value), rowIn(all[boxListColumn(name)], row));
    },
    live: {
      columns: ({ names }, name) => [
        {
          name,
          type: 'float32',
          shape: [SIZE_CHANNELS + names.length, rows, columns],
          pad: Number.NaN,
          role: 'target',
        },
      ],
      write(all, row, space, name, movement) {
        const list = rowIn(all[boxListColumn(name)], row);
        let own = boxesInList(list);
        if (!own) return;
        if (movement) {
          own = movedBoxes(own, movement);
          writeBoxList(own, list);
        }
        writeBoxes(own, space, rowIn(all[name], row));
      },
    },
  };
}

/** A row of a column. */
function rowIn(column: Tensor | undefined, row: number): Float32Array {
  const { data, dims } = column as Tensor;
  const size = data.length / (dims[0] as number);
  return (data as Float32Array).subarray(row * size, (row + 1) * size);
}

function boxesOf(value: readonly number[]): CentredBox[] {
  return Array.from({ length: value.length / BOX_NUMBERS }, (_, i) => {
    const [kind, x, y, width, height] = value.slice(i * BOX_NUMBERS, (i + 1) * BOX_NUMBERS) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { kind, x, y, width, height };
  });
}

class BoxReader implements TruthReader<number[], BoxSpace> {
  readonly #options: BoxOptions;
  readonly #context: TruthContext;
  readonly #kinds: string[];
  #most = 1;

  constructor(options: BoxOptions, context: TruthContext) {
    this.#options = options;
    this.#context = context;
    this.#kinds = [...(options.labels ?? [])];
  }

  read(raw: unknown): number[] | undefined {
    if (raw === undefined || raw === null || raw === '') return undefined;
    const { field } = this.#context;
    let list = raw;
    if (typeof raw === 'string') {
      try {
        list = JSON.parse(raw);
      } catch {
        throw new BrokenValue('label', `'${field}' is no JSON list of boxes`);
      }
    }
    if (!Array.isArray(list)) throw new BrokenValue('label', `'${field}' is no list of boxes`);
    if (list.length > MOST_BOXES) throw new BrokenValue('label', `'${field}' has ${list.length} boxes`);
    const boxes = list.flatMap((one: unknown) => this.#box(one));
    this.#most = Math.max(this.#most, list.length);
    return boxes;
  }

  finish() {
    const { field, title, output } = this.#context;
    if (this.#kinds.length === 0) {
      throw new LimbeckError('data.one-class', `no row has a box in '${field}'`, {
        where: title,
        remedy: `Set outputs.${output}.field to the column with boxes ([{ label, x, y, width, height }]).`,
      });
    }
    const names = this.#options.labels ? [...this.#kinds] : orderClasses(this.#kinds);
    const places = this.#kinds.map((kind) => names.indexOf(kind));
    const [rows, columns] = this.#options.grid;
    return {
      space: { names, rows, columns, most: this.#most },
      final: (value: number[]) =>
        value.map((number, i) => (i % BOX_NUMBERS === 0 ? (places[number] as number) : number)),
    };
  }

  #box(value: unknown): number[] {
    const { field } = this.#context;
    const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    const name = given.label ?? given.class ?? given.category;
    if (typeof name !== 'string' && typeof name !== 'number')
      throw new BrokenValue('label', `'${field}' has a box without a label`);
    const [left, top, right, bottom] = this.#corners(given);
    const isBox = [left, top, right, bottom].every(Number.isFinite) && right > left && bottom > top;
    if (!isBox) throw new BrokenValue('label', `'${field}' has a box without an area`);
    const edges = [left, top, right, bottom].map((edge) => Math.min(1, Math.max(0, edge))) as [
      number,
      number,
      number,
      number,
    ];
    if (edges[2] <= edges[0] || edges[3] <= edges[1] || Math.max(right, bottom) > 1.5) {
      const unit = this.#options.imageSize ? 'pixels of imageSize' : 'parts of width and height (0 to 1)';
      throw new BrokenValue('label', `'${field}' has a box outside of the image; numbers are ${unit}`);
    }
    const [l, t, r, b] = edges;
    return [this.#kind(`${name}`), (l + r) / 2, (t + b) / 2, r - l, b - t];
  }

  #corners(given: Record<string, unknown>): [number, number, number, number] {
    const [width, height] = this.#options.imageSize ?? [1, 1];
    const numbers = (keys: readonly string[]) => keys.map((key) => Number(given[key] ?? Number.NaN));
    const list = Array.isArray(given.box ?? given.bbox)
      ? ((given.box ?? given.bbox) as unknown[]).map(Number)
      : undefined;
    const [x, y, w, h] = (list ?? numbers(['x', 'y', 'width', 'height'])) as [number, number, number, number];
    const [left, top, right, bottom] =
      'left' in given
        ? (numbers(['left', 'top', 'right', 'bottom']) as [number, number, number, number])
        : ([x, y, x + w, y + h] as const);
    return [left / width, top / height, right / width, bottom / height];
  }

  #kind(name: string): number {
    const known = this.#kinds.indexOf(name);
    if (known >= 0) return known;
    const { field, title, output } = this.#context;
    if (this.#options.labels)
      throw new BrokenValue('unknown-label', `'${name}' in '${field}' is not one of those listed`);
    if (this.#kinds.length === MOST_KINDS) {
      throw new LimbeckError('data.too-many-labels', `'${field}' has more than ${MOST_KINDS} classes`, {
        where: title,
        remedy: `Set outputs.${output}.field to the column that holds the boxes.`,
      });
    }
    return this.#kinds.push(name) - 1;
  }
}
