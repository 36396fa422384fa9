import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { composeScene } from './scene-canvas.ts';
import { sceneSentence } from './scene-sentence.ts';
import { scenes } from './scenes.ts';

/** Images of 28x28 whose garment is a filled rectangle; each of its own grey, by which it is known. */
function writeClothes(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, count: number, first: number) => {
    const head = (magic: number, sizes: number[]) => {
      const bytes = Buffer.alloc(4 + 4 * sizes.length);
      [magic, ...sizes].forEach((value, i) => {
        bytes.writeUInt32BE(value, 4 * i);
      });
      return bytes;
    };
    const images = Buffer.alloc(count * 784);
    for (let i = 0; i < count; i++)
      for (let row = 4; row < 24; row++)
        images.fill(first + i, i * 784 + row * 28 + 6, i * 784 + row * 28 + 20);
    const labels = Buffer.from(Array.from({ length: count }, (_, i) => i % 10));
    writeFileSync(
      join(folder, `${name}-images-idx3-ubyte`),
      Buffer.concat([head(0x803, [count, 28, 28]), images]),
    );
    writeFileSync(join(folder, `${name}-labels-idx1-ubyte`), Buffer.concat([head(0x801, [count]), labels]));
  };
  write('train', 60, 60);
  write('t10k', 20, 200);
}

type Row = {
  id: string;
  split: string;
  values: { image: { pixels: Uint8Array }; boxes: Box[]; classes: string[]; text: string };
};
type Box = { label: string; x: number; y: number; width: number; height: number };

async function rowsOf(folder: string, seed = 1): Promise<Row[]> {
  const options = scenes.options.parse({ path: folder, train: 12, validation: 4, test: 6, seed });
  const source = await scenes.open(options, { resolvePath: (path) => path, cacheFolder: folder });
  const rows: Row[] = [];
  for await (const row of source.rows()) if ('sample' in row) rows.push(row.sample as unknown as Row);
  return rows;
}

const newFolder = temporaryFolders();

it('composes scenes of the garments of its splits, the same ones from a seed', async () => {
  const folder = await newFolder();
  writeClothes(folder);
  const rows = await rowsOf(folder);
  expect(rows.map(({ id, split }) => `${split} ${id}`).slice(11, 17)).toEqual([
    'train train-12',
    'validation validation-1',
    'validation validation-2',
    'validation validation-3',
    'validation validation-4',
    'test test-1',
  ]);
  for (const { values } of rows) {
    expect(values.image.pixels).toHaveLength(3 * 64 * 64);
    expect(values.boxes.length).toBeGreaterThan(0);
    expect(values.boxes.length).toBeLessThanOrEqual(4);
    for (const { x, y, width, height } of values.boxes) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(1);
    }
    expect(new Set(values.classes)).toEqual(new Set(values.boxes.map(({ label }) => label)));
  }
  expect(await rowsOf(folder)).toEqual(rows);
  expect((await rowsOf(folder, 2))[0]!.values.text).not.toBe(rows[0]!.values.text);
});

it('paints a garment exactly into its box', () => {
  // All channels of a garment of full brightness are brighter than the ground, whatever its colour, in one channel at least.
  const pixels = new Uint8Array(28 * 28);
  for (let row = 4; row < 24; row++) pixels.fill(255, row * 28 + 6, row * 28 + 20);
  const side = 28;
  const options = { size: 48, things: [1, 1] as const, sides: [0.58, 0.59] as const };
  const { pixels: scene, things } = composeScene(
    [{ kind: 7, pixels, side }],
    options,
    randomStream(3, 'scene'),
  );
  const [thing] = things;
  expect(thing!.kind).toBe(7);
  const [left, top] = [Math.round(thing!.x * 48), Math.round(thing!.y * 48)];
  const [width, height] = [Math.round(thing!.width * 48), Math.round(thing!.height * 48)];
  expect([width, height]).toEqual([14, 20]);
  for (let row = top; row < top + height; row++) {
    for (let column = left; column < left + width; column++) {
      const brightest = Math.max(...[0, 1, 2].map((channel) => scene[(channel * 48 + row) * 48 + column]!));
      expect(brightest).toBe(255);
    }
  }
});

it('says what is where, from left to right', () => {
  const at = (label: string, x: number, y: number) => ({ label, x, y, width: 0.2, height: 0.2 });
  expect(
    sceneSentence([at('Ankle boot', 0.7, 0.4), at('Trouser', 0.4, 0.75), at('T-shirt/top', 0.05, 0)]),
  ).toBe('A T-shirt at the top left, a pair of trousers at the bottom and an ankle boot on the right.');
  expect(sceneSentence([at('Bag', 0.4, 0.4)])).toBe('A bag in the middle.');
});
