import type { FoundBox, TrueBox } from '../metrics/detection-precision.ts';

/** Where things are found: rows and columns of a map over the image, and the names of the classes. */
export interface BoxGrid {
  readonly names: readonly string[];
  readonly rows: number;
  readonly columns: number;
}

/** A grid, and what is known of the boxes of a data set. */
export interface BoxSpace extends BoxGrid {
  /** Boxes that a sample has, at most; 1 at least. */
  readonly most: number;
}

/** Channels before those of the classes: width and height in cells, and where in its cell a centre lies, across and down. */
export const SIZE_CHANNELS = 4;

/** A box as parts of the image's width and height, by its centre. */
export interface CentredBox {
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * How far from the centre of a box, in cells, another centre may lie for a box of the same size to overlap it by
 * `overlap`: the smallest of the three cases (both corners inside, outside, one of each).
 *
 * Law and Deng, "CornerNet" (2018), section 3.2; Zhou et al., "Objects as Points" (2019) spread centres by a third of it.
 */
export function centreRadius(width: number, height: number, overlap = 0.7): number {
  const root = (a: number, b: number, c: number) => (b - Math.sqrt(Math.max(0, b * b - 4 * a * c))) / (2 * a);
  const sum = width + height;
  const area = width * height;
  const inside = root(4, 2 * sum, (1 - overlap) * area);
  const mixed = root(1, sum, (area * (1 - overlap)) / (1 + overlap));
  const outside =
    (-2 * overlap * sum + Math.sqrt(4 * (overlap * sum) ** 2 + 16 * overlap * (1 - overlap) * area)) /
    (8 * overlap);
  return Math.max(0, Math.min(inside, mixed, outside));
}

/** Writes a sample's boxes to its part of a column, float32 [4 + classes, rows, columns]: Gaussians at centres, sizes there. */
export function writeBoxes(
  boxes: readonly CentredBox[],
  { names, rows, columns }: BoxGrid,
  data: Float32Array,
): void {
  const cells = rows * columns;
  data.fill(Number.NaN, 0, SIZE_CHANNELS * cells);
  data.fill(0, SIZE_CHANNELS * cells, (SIZE_CHANNELS + names.length) * cells);
  for (const { kind, x, y, width, height } of boxes) {
    const [cx, cy, w, h] = [x * columns, y * rows, width * columns, height * rows];
    const [column, row] = [Math.min(columns - 1, Math.floor(cx)), Math.min(rows - 1, Math.floor(cy))];
    const cell = row * columns + column;
    [w, h, cx - column, cy - row].forEach((value, channel) => {
      data[channel * cells + cell] = value;
    });
    const sigma = Math.max(1 / 3, centreRadius(w, h) / 3);
    const reach = Math.ceil(3 * sigma);
    const map = (SIZE_CHANNELS + kind) * cells;
    for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r++) {
      for (let c = Math.max(0, column - reach); c <= Math.min(columns - 1, column + reach); c++) {
        const heat = Math.exp(-((r - row) ** 2 + (c - column) ** 2) / (2 * sigma * sigma));
        const place = map + r * columns + c;
        data[place] = Math.max(data[place] as number, heat);
      }
    }
  }
}

/** Numbers of a box in a list: kind, centre, size. */
export const BOX_NUMBERS = 5;
/** What stands for the kind of a box where a list has no more of them. */
const NO_BOX = -1;

/** Writes boxes to a row of a column of lists, float32 [most boxes, 5]. */
export function writeBoxList(boxes: readonly CentredBox[], data: Float32Array): void {
  data.fill(NO_BOX);
  boxes.forEach(({ kind, x, y, width, height }, i) => {
    data.set([kind, x, y, width, height], i * BOX_NUMBERS);
  });
}

/** The boxes of a row of a column of lists; undefined where nobody says which there are. */
export function boxesInList(data: Float32Array): CentredBox[] | undefined {
  if (Number.isNaN(data[0])) return undefined;
  const boxes: CentredBox[] = [];
  for (let at = 0; at < data.length && data[at] !== NO_BOX; at += BOX_NUMBERS) {
    const [kind, x, y, width, height] = data.subarray(at, at + BOX_NUMBERS) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    boxes.push({ kind, x, y, width, height });
  }
  return boxes;
}

/** The same with corners. */
export function trueBoxes(data: Float32Array): TrueBox[] | undefined {
  return boxesInList(data)?.map(({ kind, x, y, width, height }) => ({
    class: kind,
    box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2],
  }));
}

/** Boxes that are answered for a sample, at most. */
const MOST_BOXES = 100;
/** Below this a peak is no answer. */
const LEAST_SCORE = 0.05;

/**
 * The boxes that a model found: peaks of the heat maps (no neighbour in 3x3 is higher), the best ones first.
 *
 * @param data an answer [4 + classes, rows, columns]; heat maps are logits
 */
export function foundBoxes(data: Float32Array, space: BoxGrid): FoundBox[] {
  const { names, rows, columns } = space;
  const cells = rows * columns;
  const found: FoundBox[] = [];
  names.forEach((_, kind) => {
    const map = data.subarray((SIZE_CHANNELS + kind) * cells, (SIZE_CHANNELS + kind + 1) * cells);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const cell = row * columns + column;
        const score = 1 / (1 + Math.exp(-(map[cell] as number)));
        if (score < LEAST_SCORE || !isPeak(map, row, column, space)) continue;
        found.push({ class: kind, score, box: cornersAt(data, space, cell) });
      }
    }
  });
  return found.sort((a, b) => b.score - a.score).slice(0, MOST_BOXES);
}

function isPeak(map: Float32Array, row: number, column: number, { rows, columns }: BoxGrid): boolean {
  const value = map[row * columns + column] as number;
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++)
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++)
      if ((map[r * columns + c] as number) > value) return false;
  return true;
}

/** Left, top, right and bottom as parts of width and height. */
function cornersAt(
  data: Float32Array,
  { rows, columns }: BoxGrid,
  cell: number,
): readonly [number, number, number, number] {
  const cells = rows * columns;
  const [w, h, dx, dy] = [0, 1, 2, 3].map((channel) => data[channel * cells + cell] as number) as [
    number,
    number,
    number,
    number,
  ];
  const x = (cell % columns) + dx;
  const y = Math.floor(cell / columns) + dy;
  return [(x - w / 2) / columns, (y - h / 2) / rows, (x + w / 2) / columns, (y + h / 2) / rows];
}
