import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomStream } from '../../random.ts';
import { boxesTruth } from '../../targets/boxes-truth.ts';
import { sequentialBatches } from '../batches/batch-order.ts';
import type { GroundTruth } from '../ground-truth.ts';
import { classLabels } from '../labels/class-labels.ts';
import { image } from '../modalities/image/image.ts';
import type { DataSource } from '../sample.ts';
import { keepSplits } from '../splits/kept-splits.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import type { PreparedDataset } from './dataset-manifest.ts';
import { type PrepareOptions, prepareDataset } from './prepare-dataset.ts';

const newFolder = temporaryFolders();
let folder: string;
const opened: PreparedDataset[] = [];
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => {
  for (const dataset of opened.splice(0)) dataset.close();
});

interface Image {
  readonly pixels: Uint8Array;
  readonly label: number;
}

/** Images of 2x2 pixels; every tenth is of the second class. */
const images = (count: number, seed: number): Image[] => {
  const random = randomStream(seed, 'images');
  return Array.from({ length: count }, (_, i) => ({
    pixels: Uint8Array.from({ length: 4 }, () => random.integer(256)),
    label: i % 10 === 0 ? 1 : 0,
  }));
};
const TRAIN = images(200, 1);
const TEST = images(50, 2);

function sourceOf(train: Image[], test: Image[], identity: 'content' | 'position' = 'content'): DataSource {
  const parts = { train, test };
  const names = ['a', 'b'];
  return {
    title: 'images',
    fingerprint: async () => `${Math.random()}`,
    ...(identity === 'position' && { positions: { train: train.length, test: test.length } }),
    declares: async () => ({ image: { dims: [1, 2, 2] }, label: { classes: { names, where: 'images' } } }),
    async *rows() {
      for (const split of ['train', 'test'] as const) {
        for (const { pixels, label } of parts[split])
          yield { sample: { split, values: { image: { pixels, dims: [1, 2, 2] }, label: names[label] } } };
      }
    },
  };
}

async function prepare(source: DataSource, more: Partial<PrepareOptions> = {}) {
  const declared = (await source.declares?.())?.image;
  const processor = await image.open(image.options.parse({}), {
    input: 'image',
    fields: ['image'],
    maxLength: 0,
    buckets: [],
    declared,
    resolvePath: (path) => path,
  });
  const dataset = await prepareDataset({
    source,
    inputs: [{ name: 'image', fields: ['image'], modality: 'image', processor }],
    outputs: [{ name: 'logits', field: 'label', truth: classLabels({}) as GroundTruth }],
    splits: { validation: 40 },
    labelsPerClass: 'all',
    onBrokenRow: 'skip',
    seed: 1,
    folder,
    ...more,
  });
  opened.push(dataset);
  return dataset;
}

/** The keys of a split's images, in order. */
function keysOf(dataset: PreparedDataset, name: 'train' | 'validation' | 'test'): string[] {
  return [...sequentialBatches(dataset.splits[name], 64)]
    .flatMap(({ bucket, indices }) => {
      const { keys, filled } = dataset.splits[name].readBatch(bucket, indices, indices.length);
      return Array.from({ length: filled }, (_, row) =>
        Buffer.from(keys.subarray(16 * row, 16 * row + 16)).toString('hex'),
      );
    })
    .sort();
}

test('an image is its pixels: splits do not depend on positions, and classes have their part', async () => {
  const first = await prepare(sourceOf(TRAIN, TEST));
  expect(first.statistics.classCounts).toMatchObject({
    train: [144, 16],
    validation: [36, 4],
    test: [45, 5],
  });
  const other = await prepare(sourceOf(TRAIN.toReversed(), TEST.toReversed()));
  for (const name of ['train', 'validation', 'test'] as const) {
    expect(keysOf(other, name)).toEqual(keysOf(first, name));
  }
});

test('an image of the test part is in no other split', async () => {
  const dataset = await prepare(sourceOf([...TEST.slice(0, 10), ...TRAIN], TEST));
  expect(dataset.statistics.duplicates).toBe(10);
  expect(dataset.splits.train.size).toBe(160);
});

test('the test part is cut to the size asked for, and never grows', async () => {
  const dataset = await prepare(sourceOf(TRAIN, TEST), { splits: { validation: 40, test: 20 } });
  expect(dataset.splits.test.size).toBe(20);
  expect(dataset.statistics.origins.test).toEqual({ from: 'data', cut: 30, missing: 0 });
  await expect(
    prepare(sourceOf(TRAIN, TEST), { splits: { validation: 40, test: 51 } }),
  ).rejects.toMatchObject({ code: 'data.too-few' });
});

test('in published data a position is the identity', async () => {
  const first = await prepare(sourceOf(TRAIN, TEST, 'position'), {
    splits: { validation: 40, train: 50, stratified: false },
  });
  expect([first.splits.train.size, first.splits.validation.size]).toEqual([50, 40]);
  const other = await prepare(sourceOf(TRAIN.toReversed(), TEST, 'position'), {
    splits: { validation: 40, train: 50, stratified: false },
  });
  expect(keysOf(other, 'validation')).not.toEqual(keysOf(first, 'validation'));
});

test('kept splits are found again among other images', async () => {
  const first = await prepare(sourceOf(TRAIN, TEST));
  const kept = keepSplits(first);
  const grown = await prepare(sourceOf([...images(30, 3), ...TRAIN.toReversed()], TEST.slice(1)), { kept });
  expect(keysOf(grown, 'validation')).toEqual(keysOf(first, 'validation'));
  expect(grown.statistics.kept).toMatchObject({ missing: { train: 0, validation: 0, test: 1 }, added: 30 });
});

test('rows of one image with other boxes are counted, each with its place', async () => {
  const box = (x: number) => ({ label: 'cat', x, y: 0, width: 0.2, height: 0.2 });
  const rows = TRAIN.slice(0, 40).map(({ pixels }, i) => ({ pixels, boxes: [box(0)], where: `row ${i}` }));
  const again = [
    { pixels: TRAIN[0]!.pixels, boxes: [box(0.5)], where: 'row 40' },
    // The same twice is no contradiction.
    { pixels: TRAIN[1]!.pixels, boxes: [box(0)], where: 'row 41' },
  ];
  const source: DataSource = {
    ...sourceOf([], []),
    async *rows() {
      for (const { where, pixels, boxes } of [...rows, ...again])
        yield { sample: { id: where, where, values: { image: { pixels, dims: [1, 2, 2] }, boxes } } };
    },
  };
  const truth = boxesTruth({ grid: [2, 2] }) as GroundTruth;
  const { statistics } = await prepare(source, {
    outputs: [{ name: 'boxes', field: 'boxes', truth }],
    splits: { validation: 5, test: 5 },
  });
  expect(statistics.differing).toEqual({ contents: 1, rows: 2, first: [['row 0', 'row 40']] });
});
