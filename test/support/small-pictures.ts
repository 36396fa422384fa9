import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/random.ts';

const SIDE = 8;

/** Big-endian numbers, as IDX heads have them. */
function head(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, value] of numbers.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

/** Writes the four IDX files of images whose class, 0 to 3, is the quarter that is bright. */
export function writeQuarters(folder: string, counts: { train: number; test: number }): void {
  mkdirSync(folder, { recursive: true });
  for (const [part, count] of [
    ['train', counts.train],
    ['t10k', counts.test],
  ] as const) {
    const random = randomStream(count, 'quarters');
    const pixels = Buffer.alloc(count * SIDE * SIDE);
    const labels = Buffer.alloc(count);
    for (let i = 0; i < count; i++) {
      const quarter = random.integer(4);
      labels[i] = quarter;
      for (let p = 0; p < SIDE * SIDE; p++) {
        const [row, column] = [Math.floor(p / SIDE), p % SIDE];
        const place = 2 * Number(row >= SIDE / 2) + Number(column >= SIDE / 2);
        pixels[i * SIDE * SIDE + p] = (place === quarter ? 130 : 60) + random.integer(80);
      }
    }
    writeFileSync(
      join(folder, `${part}-images-idx3-ubyte`),
      Buffer.concat([head(0x803, count, SIDE, SIDE), pixels]),
    );
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), Buffer.concat([head(0x801, count), labels]));
  }
}
