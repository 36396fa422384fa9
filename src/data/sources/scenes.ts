import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { randomStream } from '../../random.ts';
import type { DataSource, SplitName } from '../sample.ts';
import { FASHION_CLASSES, openFashionMnist } from './idx.ts';
import { composeScene, type Garment } from './scene-canvas.ts';
import { sceneSentence } from './scene-sentence.ts';
import { defineSource } from './source.ts';

const part = z.number().min(0.05).max(1);

const options = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .optional()
      .describe("A folder with the four files of Fashion-MNIST; Debian's package when absent."),
    train: z.int().min(1).max(1_000_000).default(6000).describe('Scenes to train on.'),
    validation: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(600)
      .describe('Scenes of garments that are in no other split.'),
    test: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1000)
      .describe("Scenes of garments of Fashion-MNIST's test images."),
    size: z.int().min(32).max(512).default(64).describe('Pixels along both sides.'),
    things: z
      .tuple([z.int().min(1).max(20), z.int().min(1).max(20)])
      .refine(([least, most]) => least <= most, { error: 'expected the least and the most' })
      .default([1, 4])
      .describe(
        'Garments in a scene, from and to; fewer where they would hide more than a quarter of one another.',
      ),
    sides: z
      .tuple([part, part])
      .refine(([least, most]) => least <= most, { error: 'expected the smallest and the largest' })
      .default([0.28, 0.55])
      .describe(
        'The side of a garment, its margin included, as a part of the side of the scene, from and to.',
      ),
    seed: z.int().min(0).default(1).describe('Another seed composes other scenes.'),
  })
  .meta({
    title: 'Scenes',
    description:
      'Colour images of several garments of Fashion-MNIST on clutter: what is where (boxes), which are there (classes), and a sentence that says it.',
  });

/** Changes when the same options give other scenes. */
const VERSION = 1;
/** Of Fashion-MNIST's training images, the last ones are those of the validation scenes. */
const VALIDATION_PART = 1 / 12;

/**
 * Scenes with their columns: `image`; `boxes`, a list of `{ label, x, y, width, height }` as parts of width and height, the
 * corner at the left and top; `classes`, the names of what is there; `text`, a sentence.
 *
 * A scene is a function of the seed, its split and its number: it is drawn when it is read, and garments take 47 MB of
 * memory however many scenes there are.
 */
export const scenes = defineSource({
  kind: 'scenes',
  gives: 'image',
  task: 'object-detection',
  options,
  async open(chosen, context): Promise<DataSource> {
    const { path, ...drawn } = chosen;
    const clothes = await openFashionMnist(path, context);
    const { size } = drawn;
    return {
      title: 'scenes of garments',
      fingerprint: async () => JSON.stringify(['scenes', VERSION, drawn, await clothes.fingerprint()]),
      declares: async () => ({ image: { dims: [3, size, size] as const } }),
      async *rows(signal) {
        const pools = await readGarments(clothes, signal);
        for (const split of SPLITS) {
          const garments = pools[split];
          for (let number = 1; number <= drawn[split]; number++) {
            signal?.throwIfAborted();
            const random = randomStream(drawn.seed, 'scene', split, number);
            const { pixels, things } = composeScene(garments, drawn, random);
            const labelled = things.map(({ kind, ...box }) => ({
              label: FASHION_CLASSES[kind] as string,
              ...box,
            }));
            yield {
              sample: {
                id: `${split}-${number}`,
                split,
                where: `scene ${number} of ${split}`,
                values: {
                  image: { pixels, dims: [3, size, size] },
                  boxes: labelled,
                  classes: [...new Set(labelled.map(({ label }) => label))],
                  text: sceneSentence(labelled),
                },
              },
            };
          }
        }
      },
    };
  },
});

const SPLITS = ['train', 'validation', 'test'] as const satisfies SplitName[];

/** The garments of each split: no image is in two. */
async function readGarments(
  clothes: DataSource,
  signal: AbortSignal | undefined,
): Promise<Record<SplitName, Garment[]>> {
  const read: Record<'train' | 'test', Garment[]> = { train: [], test: [] };
  for await (const row of clothes.rows(signal)) {
    if (!('sample' in row)) continue;
    const { image, label } = row.sample.values as {
      readonly image: { readonly pixels: Uint8Array; readonly dims: readonly number[] };
      readonly label: string;
    };
    read[row.sample.split as 'train' | 'test'].push({
      kind: FASHION_CLASSES.indexOf(label),
      pixels: image.pixels,
      side: image.dims[1] as number,
    });
  }
  const held = Math.max(1, Math.round(read.train.length * VALIDATION_PART));
  if (read.train.length <= held || read.test.length === 0) {
    throw new LimbeckError('data.too-few', 'there are too few garments to compose scenes of', {
      where: `${clothes.title}: ${read.train.length} training images, ${read.test.length} test images`,
      remedy: 'Set data.source.path to a folder with the whole of Fashion-MNIST.',
    });
  }
  return { train: read.train.slice(0, -held), validation: read.train.slice(-held), test: read.test };
}
