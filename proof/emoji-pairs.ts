import { join } from 'node:path';
import { image } from '../src/data/modalities/image/image.ts';
import { text } from '../src/data/modalities/text/text.ts';
import type { Tokenizer } from '../src/data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../src/data/prepared/dataset-manifest.ts';
import { prepareDataset } from '../src/data/prepared/prepare-dataset.ts';
import type { RecordSplit } from '../src/data/prepared/record-split.ts';
import { emoji } from '../src/data/sources/emoji.ts';
import type { Engine, Session } from '../src/engine/engine.ts';
import type { Metric } from '../src/metrics/metric.ts';
import { pairRecall } from '../src/metrics/pair-recall.ts';
import { int64, type Tensor } from '../src/onnx/tensor.ts';
import { splitBatches } from '../src/run/batches/sample-batches.ts';
import { takenFeeds } from '../src/train/batch-feeds.ts';

/** As the recipes have it: tokens of a name with its tags, numbers in a vector, the seed of the splits. */
const MAX_LENGTH = 24;
const WIDTH = 512;
const SPLIT_SEED = 1;
/** The output with both vectors of a pair beside each other. */
const PAIRS = 'pairs';
const ROWS = 64;

/** The groups of emoji, as a person would say them. */
const GROUPS = {
  'Smileys & Emotion': 'smiling face, emotion, feeling',
  'People & Body': 'person, people, body',
  'Animals & Nature': 'animal, nature, plant',
  'Food & Drink': 'food, drink, fruit',
  'Travel & Places': 'travel, place, vehicle, building',
  Activities: 'activity, sport, game',
  Objects: 'object, tool, clothing',
  Symbols: 'symbol, sign, arrow',
  Flags: 'flag',
} as const;

/** Emoji of one vendor as a model that shipped reads them; both vendors' emoji are divided alike. */
export interface VendorEmoji {
  readonly dataset: PreparedDataset;
  /** The tokens of each group's name. */
  readonly names: readonly (readonly number[])[];
  /** The position of a test sample's group. */
  groupOf(ordinal: number): number;
}

/** @param shipped the folder of a student (or of its teacher), which says what pixels it reads */
export async function vendorEmoji(
  vendor: 'google' | 'twitter',
  options: {
    readonly tokenizer: Tokenizer;
    readonly shipped: string;
    readonly folder: string;
  },
): Promise<VendorEmoji> {
  const { tokenizer, shipped, folder } = options;
  const source = await emoji.open(emoji.options.parse({ vendor, skinTones: false, countries: false }), {
    resolvePath: (path) => path,
    cacheFolder: folder,
  });
  const context = {
    fields: ['text'],
    maxLength: MAX_LENGTH,
    buckets: [MAX_LENGTH],
    resolvePath: (path: string) => path,
    declared: (await source.declares?.())?.image,
    tokenizer,
  };
  const pixels = image.options.parse({
    background: '#ffffff',
    preprocessor: join(shipped, 'preprocessor_config.json'),
  });
  const processors = {
    text: await text.open({}, { ...context, input: 'text', declared: undefined }),
    image: await image.open(pixels, { ...context, input: 'image', fields: ['image'] }),
  };
  const dataset = await prepareDataset({
    source,
    inputs: (['text', 'image'] as const).map((name) => ({
      ...{ name, fields: [name], modality: name, processor: processors[name] },
    })),
    outputs: [],
    splits: { validation: 0.1, test: 0.15 },
    labelsPerClass: 'all',
    seed: SPLIT_SEED,
    onBrokenRow: 'fail',
    folder: join(folder, 'data'),
  });
  const groups = new Map<string, string>();
  for await (const row of source.rows())
    if ('sample' in row) groups.set(`${row.sample.id}`, `${row.sample.values.label}`);
  const { test } = dataset.splits;
  return {
    dataset,
    names: Object.values(GROUPS).map((name) => [...tokenizer.encode(name, MAX_LENGTH)]),
    groupOf: (ordinal) => Object.keys(GROUPS).indexOf(groups.get(test.id(ordinal)) ?? ''),
  };
}

export interface PairNumbers {
  /** Recall of images by texts and of texts by images. */
  readonly textToImage1: number;
  readonly textToImage10: number;
  readonly imageToText1: number;
  readonly imageToText10: number;
  /** The mean of both ways at 10. */
  readonly recall10: number;
  /** How often a drawing's group is the nearest of the groups' names. */
  readonly groups: number;
}

/** Measures a model with the output `pairs` on the test split. */
export async function measurePairs(
  session: Session,
  { dataset, names, groupOf }: VendorEmoji,
): Promise<PairNumbers> {
  const metrics = (['both', 'text-to-image', 'image-to-text'] as const).flatMap((direction) =>
    [1, 10].map((k) => pairRecall({ width: WIDTH, k, direction })),
  );
  const states = metrics.map((metric) => metric.start());
  const groups = await textVectors(session, names, dataset.splits.test);
  let [right, seen] = [0, 0];
  for (const batch of splitBatches(dataset.splits.test, ROWS)) {
    const said = await session.run(takenFeeds(session, batch.columns), { [PAIRS]: null });
    const both = said[PAIRS] as Tensor;
    metrics.forEach((metric, i) => {
      metric.add(states[i], both, batch);
    });
    for (let row = 0; row < batch.filled; row++) {
      const own = half(both, row, 1);
      if (nearest(own, groups) === groupOf(batch.ordinals[row] as number)) right++;
      seen++;
    }
  }
  const value = (name: string) => {
    const at = metrics.findIndex((metric) => metric.name === name);
    return (metrics[at] as Metric).value(states[at]);
  };
  return {
    textToImage1: value('textToImage@1'),
    textToImage10: value('textToImage@10'),
    imageToText1: value('imageToText@1'),
    imageToText10: value('imageToText@10'),
    recall10: value('recall@10'),
    groups: right / seen,
  };
}

/** The vectors of some texts, asked beside as many images. */
async function textVectors(
  session: Session,
  ids: readonly (readonly number[])[],
  split: RecordSplit,
): Promise<Float32Array[]> {
  const rows = Uint32Array.from(ids, (_, i) => i);
  const padded = (values: readonly number[]) => [
    ...values,
    ...new Array<number>(MAX_LENGTH - values.length).fill(0),
  ];
  const dims = [ids.length, MAX_LENGTH];
  const columns = {
    ...split.readBatch(0, rows, rows.length).columns,
    input_ids: int64(ids.flatMap(padded), dims),
    attention_mask: int64(
      ids.flatMap((one) => padded(one.map(() => 1))),
      dims,
    ),
  };
  const said = await session.run(takenFeeds(session, columns), { [PAIRS]: null });
  return ids.map((_, i) => half(said[PAIRS] as Tensor, i, 0));
}

/** The vector of the text (0) or of the image (1) of a pair. */
function half({ data }: Tensor, row: number, which: 0 | 1): Float32Array {
  const from = (2 * row + which) * WIDTH;
  return (data as Float32Array).subarray(from, from + WIDTH);
}

function nearest(vector: Float32Array, candidates: readonly Float32Array[]): number {
  const scores = candidates.map((one) =>
    one.reduce((sum, value, i) => sum + value * (vector[i] as number), 0),
  );
  return scores.indexOf(Math.max(...scores));
}

/**
 * Pairs in a second of a processor, 32 at once on one thread: by the time that the process was on it, so that other programs
 * count little.
 */
export async function pairsPerSecond(
  engine: Engine,
  file: string,
  { dataset }: VendorEmoji,
): Promise<number> {
  const session = await engine.load(file, { threads: 1 });
  try {
    const rows = Uint32Array.from({ length: 32 }, (_, i) => i);
    const feeds = takenFeeds(session, dataset.splits.test.readBatch(0, rows, 32).columns);
    const wanted = { [PAIRS]: null };
    await session.run(feeds, wanted);
    let [calls, spent] = [0, 0];
    while (spent < 2e6) {
      const before = process.cpuUsage();
      await session.run(feeds, wanted);
      const { user, system } = process.cpuUsage(before);
      spent += user + system;
      calls++;
    }
    return (32e6 * calls) / spent;
  } finally {
    await session.release();
  }
}
