import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader, TruthRow } from '../data/ground-truth.ts';
import { orderClasses } from '../data/labels/class-order.ts';
import { shownValue } from '../data/labels/label-value.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
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
  /** What four numbers in a list are; as the source declares, or `xywh`, when absent. */
  readonly format?: BoxFormat | undefined;
  /** As the source declares, else `pixels` with `imageSize`, else `relative`, when absent. */
  readonly unit?: 'relative' | 'pixels' | undefined;
  /** [width, height] that pixels are counted in; those of the row's image when absent. */
  readonly imageSize?: readonly [number, number] | undefined;
}

/** Corner at the left and top with the size, two corners, or centre with the size. */
export type BoxFormat = 'xywh' | 'xyxy' | 'cxcywh';
type Four = readonly [number, number, number, number];

/** Left, top, right and bottom. */
const CORNERS: Readonly<Record<BoxFormat, (four: Four) => Four>> = {
  xywh: ([x, y, width, height]) => [x, y, x + width, y + height],
  xyxy: (corners) => corners,
  cxcywh: ([x, y, width, height]) => [x - width / 2, y - height / 2, x + width / 2, y + height / 2],
};

/** The keys of a record that has them each by itself, instead of a list. */
const KEYS: readonly { readonly format: BoxFormat; readonly keys: readonly string[] }[] = [
  { format: 'xyxy', keys: ['left', 'top', 'right', 'bottom'] },
  { format: 'xyxy', keys: ['xmin', 'ymin', 'xmax', 'ymax'] },
  { format: 'xywh', keys: ['x', 'y', 'width', 'height'] },
];

/** How far a box may reach out of the image, as a part of its side, and be cut off: by rounding, and no further. */
const ROUNDING = 0.02;
/** `Number` also reads hexadecimal, which no table of boxes means. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MOST_KINDS = 1000;
const MOST_BOXES = 1000;

/** The column with the boxes of a sample as a list, beside the one with their maps. */
export function boxListColumn(name: string): string {
  return `${name}/list`;
}

/**
 * Boxes of things on an image: as a list, float32 [most boxes, 5] (see `writeBoxList`), which lies on disk and moves with the
 * image, and float32 [4 + classes, rows, columns] (see `writeBoxes`), made of it; NaN for a row of which nobody knows.
 * Rows have lists (or texts that are JSON lists) of `{ label, x, y, width, height }`, the corner at the left and top, of
 * `{ label, left, top, right, bottom }` or `{ label, xmin, ymin, xmax, ymax }`, or of `{ label, box }` with a list of four as
 * `format` says. A row with a box that has no area, no number, an unknown class, or lies outside of its image, is broken.
 */
export function boxesTruth(options: BoxOptions): GroundTruth<number[], BoxSpace> {
  const [rows, columns] = options.grid;
  return {
    hash: canonicalJson({ boxes: { ...options }, version: 2 }),
    marksMissing: true,
    wantsWholeImages: true,
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
  /** The farthest edge of all boxes that are in pixels; 0 where there is none. */
  #farthest = 0;

  /** Whether no class may be added. */
  readonly #isFixed: boolean;

  constructor(options: BoxOptions, context: TruthContext) {
    this.#options = options;
    this.#context = context;
    const fixed = options.labels ?? context.declared?.classes?.names;
    this.#isFixed = fixed !== undefined;
    this.#kinds = [...(fixed ?? [])];
  }

  read(raw: unknown, row: TruthRow): number[] | undefined {
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
    const size = this.#sizeOf(row, list);
    const boxes = list.flatMap((one: unknown, i) => this.#box(one, i + 1, size));
    this.#most = Math.max(this.#most, list.length);
    return boxes;
  }

  finish() {
    const { field, title, output, keys = keysInOutputs(output) } = this.#context;
    if (this.#kinds.length === 0) {
      throw new LimbeckError('data.one-class', `no row has a box in '${field}'`, {
        where: title,
        remedy: fieldRemedy(keys, 'boxes ([{ label, x, y, width, height }])'),
      });
    }
    if (this.#farthest > 0 && this.#farthest <= 1) {
      throw new LimbeckError(
        'data.box-unit',
        `all boxes in '${field}' lie within the first pixel of their images: they are parts of width and height, not pixels`,
        { where: title, remedy: 'Set the unit of the boxes to relative.' },
      );
    }
    const names = this.#isFixed ? [...this.#kinds] : orderClasses(this.#kinds);
    const places = this.#kinds.map((kind) => names.indexOf(kind));
    const [rows, columns] = this.#options.grid;
    return {
      space: { names, rows, columns, most: this.#most },
      tally: { names, of: (value: number[]) => value.filter((_, i) => i % BOX_NUMBERS === 0) },
      final: (value: number[]) =>
        value.map((number, i) => (i % BOX_NUMBERS === 0 ? (places[number] as number) : number)),
    };
  }

  /** What the numbers of a row's boxes are parts of. */
  #sizeOf({ encoded }: TruthRow, list: readonly unknown[]): readonly [number, number] {
    const { imageSize, unit } = this.#options;
    const declared = this.#context.declared?.boxes?.unit;
    if ((unit ?? declared ?? (imageSize ? 'pixels' : 'relative')) === 'relative') return [1, 1];
    const own = Object.values(encoded).find((input) => input?.size)?.size;
    const size = imageSize ?? this.#annotatedSize(list, own) ?? own;
    if (!size)
      throw new BrokenValue('label', `'${this.#context.field}' is in pixels, and the row has no image`);
    return size;
  }

  /** The size of the image that the boxes were drawn in, where they say it: of one that was scaled since. */
  #annotatedSize(
    list: readonly unknown[],
    own: readonly [number, number] | undefined,
  ): readonly [number, number] | undefined {
    const size = sizeIn(list[0]);
    if (!size || !own) return size;
    if (Math.abs((size[0] * own[1]) / (size[1] * own[0]) - 1) <= ROUNDING) return size;
    throw new BrokenValue(
      'label',
      `the boxes in '${this.#context.field}' are those of an image of ${size.join('x')}, and the image has ${own.join('x')}`,
    );
  }

  #box(value: unknown, number: number, [width, height]: readonly [number, number]): number[] {
    const { field } = this.#context;
    const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    const name = given.label ?? given.class ?? given.category;
    if ((typeof name !== 'string' && typeof name !== 'number') || name === '')
      throw new BrokenValue('label', `'${field}' has a box without a label`);
    const corners = this.#corners(given, number);
    const [left, top, right, bottom] = [
      corners[0] / width,
      corners[1] / height,
      corners[2] / width,
      corners[3] / height,
    ];
    if (width > 1 && height > 1) this.#farthest = Math.max(this.#farthest, corners[2], corners[3]);
    if (!(right > left && bottom > top))
      throw new BrokenValue('label', `'${field}' has a box without an area: number ${number}`);
    if (Math.min(left, top) < -ROUNDING || Math.max(right, bottom) > 1 + ROUNDING) {
      const unit =
        width === 1 && height === 1 ? 'parts of width and height (0 to 1)' : `pixels of ${width}x${height}`;
      const where = `[${corners.map((edge) => Number(edge.toPrecision(6))).join(', ')}]`;
      throw new BrokenValue(
        'label',
        `'${field}' has a box outside of the image: number ${number}, from left and top to right and bottom ${where}; numbers are ${unit}`,
      );
    }
    const [l, t, r, b] = [left, top, right, bottom].map((edge) => Math.min(1, Math.max(0, edge))) as [
      number,
      number,
      number,
      number,
    ];
    if (r <= l || b <= t)
      throw new BrokenValue('label', `'${field}' has a box without an area: number ${number}`);
    return [this.#kind(`${name}`), (l + r) / 2, (t + b) / 2, r - l, b - t];
  }

  /** Left, top, right and bottom of the box with this number in its row, in the unit of the row. */
  #corners(given: Record<string, unknown>, number: number): Four {
    const list = given.box ?? given.bbox;
    const form = KEYS.find(({ keys }) => keys.every((key) => key in given));
    const four = Array.isArray(list)
      ? list.length === 4
        ? list
        : []
      : (form?.keys ?? []).map((key) => given[key]);
    const { field } = this.#context;
    if (four.length === 0)
      throw new BrokenValue(
        'label',
        `'${field}' has a box without an area: number ${number}, which has no four numbers`,
      );
    const numbers = four.map(numberOf);
    const wrong = numbers.findIndex((one) => !Number.isFinite(one));
    if (wrong >= 0) {
      const shown = shownValue(typeof four[wrong] === 'number' ? `${four[wrong]}` : four[wrong]);
      throw new BrokenValue('label', `'${field}' has a box of which ${shown} is no number: number ${number}`);
    }
    const format = Array.isArray(list)
      ? (this.#options.format ?? this.#context.declared?.boxes?.format ?? 'xywh')
      : (form?.format ?? 'xywh');
    return CORNERS[format](numbers as unknown as Four);
  }

  #kind(name: string): number {
    const known = this.#kinds.indexOf(name);
    if (known >= 0) return known;
    const { field, title, output, keys = keysInOutputs(output) } = this.#context;
    if (this.#isFixed)
      throw new BrokenValue('unknown-label', `'${name}' in '${field}' is not one of those listed`);
    if (this.#kinds.length === MOST_KINDS) {
      throw new LimbeckError('data.too-many-labels', `'${field}' has more than ${MOST_KINDS} classes`, {
        where: title,
        remedy: fieldRemedy(keys, 'the boxes'),
      });
    }
    return this.#kinds.push(name) - 1;
  }
}

/** What a box says of the size of its image: `imageSize`, width and height. */
function sizeIn(box: unknown): readonly [number, number] | undefined {
  const size = (typeof box === 'object' && box !== null ? box : {}) as { imageSize?: unknown };
  if (!Array.isArray(size.imageSize) || size.imageSize.length !== 2) return undefined;
  const [width, height] = size.imageSize as unknown[];
  return Number(width) > 0 && Number(height) > 0 ? [Number(width), Number(height)] : undefined;
}

/** A number, or a text that is one in decimal; NaN for others. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : Number.NaN;
}
