import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SIDE = 28;
/** Left, top, right and bottom of the shape of a class. */
const SHAPES = [
  [4, 10, 24, 18],
  [10, 4, 18, 24],
  [6, 4, 20, 24],
] as const;

/** Big-endian numbers, as IDX heads have them. */
function head(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, value] of numbers.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

/** Writes the four IDX files of images like clothes: wide, tall and broad rectangles of classes 0 to 2, of several greys. */
export function writeClothes(folder: string, counts = { train: 60, test: 20 }): void {
  mkdirSync(folder, { recursive: true });
  for (const [part, count, grey] of [
    ['train', counts.train, 120],
    ['t10k', counts.test, 200],
  ] as const) {
    const images = Buffer.alloc(count * SIDE * SIDE);
    for (let i = 0; i < count; i++) {
      const [left, top, right, bottom] = SHAPES[i % SHAPES.length]!;
      for (let row = top; row < bottom; row++)
        images.fill(
          grey + (i % 50),
          i * SIDE * SIDE + row * SIDE + left,
          i * SIDE * SIDE + row * SIDE + right,
        );
    }
    const labels = Buffer.from(Array.from({ length: count }, (_, i) => i % SHAPES.length));
    writeFileSync(
      join(folder, `${part}-images-idx3-ubyte`),
      Buffer.concat([head(0x803, count, SIDE, SIDE), images]),
    );
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), Buffer.concat([head(0x801, count), labels]));
  }
}
