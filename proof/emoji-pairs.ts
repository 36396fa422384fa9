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
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../src/targets/pair-embeds.ts';
import { takenFeeds } from '../src/train/batch-feeds.ts';

/** Tokens of a name with its tags; longer ones are cut. */
export const MAX_LENGTH = 24;
/** Numbers in a vector: the sentence encoder's. */
export const WIDTH = 512;
const ROWS = 64;

/** The groups of emoji, as a person would say them. */
export const GROUPS = {
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

/** Emoji of one vendor as pairs of a text and a drawing; a seed divides both vendors' emoji alike. */
export async function emojiPairs(
  vendor: 'google' | 'twitter',
  {
    tokenizer,
    seed,
    folder,
  }: { readonly tokenizer: Tokenizer; readonly seed: number; readonly folder: string },
): Promise<PreparedDataset> {
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
  const options = image.options.parse({ background: '#ffffff', normalization: NORMALIZATION });
  return prepareDataset({
    source,
    inputs: [
      {
        name: 'text',
        fields: ['text'],
        modality: 'text',
        processor: await text.open({}, { ...context, input: 'text', declared: undefined }),
      },
      {
        name: 'image',
        fields: ['image'],
        modality: 'image',
        processor: await image.open(options, { ...context, input: 'image', fields: ['image'] }),
      },
    ],
    outputs: [],
    splits: { validation: 0.1, test: 0.15 },
    labelsPerClass: 'all',
    seed,
    onBrokenRow: 'fail',
    folder: join(folder, 'data'),
  });
}

/** Of Google's drawings on white; one for both vendors, for a student has one. */
const NORMALIZATION = { mean: [0.75, 0.68, 0.6], deviation: [0.32, 0.32, 0.36] };

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

/** Measures a dual encoder in its evaluation form on a split, `groupOf` telling the position of a sample's group. */
export async function measurePairs(
  session: Session,
  split: RecordSplit,
  groups: { readonly ids: readonly (readonly number[])[]; of(ordinal: number): number },
): Promise<PairNumbers> {
  const metrics = (['both', 'text-to-image', 'image-to-text'] as const).flatMap((direction) =>
    [1, 10].map((k) => pairRecall({ width: WIDTH, k, direction })),
  );
  const states = metrics.map((metric) => metric.start());
  const names = await groupVectors(session, groups.ids, split);
  let [right, seen] = [0, 0];
  for (const batch of splitBatches(split, ROWS)) {
    const answers = await session.run(takenFeeds(session, batch.columns), {
      [TEXT_EMBEDS]: null,
      [IMAGE_EMBEDS]: null,
    });
    const both = joined(answers[TEXT_EMBEDS] as Tensor, answers[IMAGE_EMBEDS] as Tensor);
    metrics.forEach((metric, i) => {
      metric.add(states[i], both, batch);
    });
    const vectors = (answers[IMAGE_EMBEDS] as Tensor).data as Float32Array;
    for (let row = 0; row < batch.filled; row++) {
      const own = vectors.subarray(row * WIDTH, (row + 1) * WIDTH);
      if (nearest(own, names) === groups.of(batch.ordinals[row] as number)) right++;
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

/** The texts' vectors of some tokens, beside any images. */
async function groupVectors(session: Session, ids: readonly (readonly number[])[], split: RecordSplit) {
  const [batch] = [...splitBatches(split, ids.length)].slice(0, 1) as [ReturnType<typeof split.readBatch>];
  const row = (values: readonly number[], pad: number) => [
    ...values,
    ...new Array<number>(MAX_LENGTH - values.length).fill(pad),
  ];
  const dims = [ids.length, MAX_LENGTH];
  const columns = {
    ...batch.columns,
    input_ids: int64(
      ids.flatMap((one) => row(one, 0)),
      dims,
    ),
    attention_mask: int64(
      ids.flatMap((one) =>
        row(
          one.map(() => 1),
          0,
        ),
      ),
      dims,
    ),
  };
  const { [TEXT_EMBEDS]: vectors } = await session.run(takenFeeds(session, columns), { [TEXT_EMBEDS]: null });
  return ids.map((_, i) => ((vectors as Tensor).data as Float32Array).slice(i * WIDTH, (i + 1) * WIDTH));
}

function nearest(vector: Float32Array, candidates: readonly Float32Array[]): number {
  const scores = candidates.map((one) =>
    one.reduce((sum, value, i) => sum + value * (vector[i] as number), 0),
  );
  return scores.indexOf(Math.max(...scores));
}

function joined(texts: Tensor, images: Tensor): Tensor {
  const rows = texts.dims[0] as number;
  const data = new Float32Array(rows * 2 * WIDTH);
  for (let row = 0; row < rows; row++) {
    data.set((texts.data as Float32Array).subarray(row * WIDTH, (row + 1) * WIDTH), row * 2 * WIDTH);
    data.set((images.data as Float32Array).subarray(row * WIDTH, (row + 1) * WIDTH), (row * 2 + 1) * WIDTH);
  }
  return { type: 'float32', dims: [rows, 2 * WIDTH], data };
}

/** Pairs a second, 32 at once, on one thread: the best of some tries. */
export async function pairsPerSecond(engine: Engine, model: Uint8Array, split: RecordSplit): Promise<number> {
  const session = await engine.load(model, { threads: 1 });
  try {
    const batch = split.readBatch(
      0,
      Uint32Array.from({ length: 32 }, (_, i) => i),
      32,
    );
    const feeds = takenFeeds(session, batch.columns);
    let best = Number.POSITIVE_INFINITY;
    const end = performance.now() + 2000;
    while (performance.now() < end) {
      const began = performance.now();
      await session.run(feeds, { [TEXT_EMBEDS]: null, [IMAGE_EMBEDS]: null });
      best = Math.min(best, performance.now() - began);
    }
    return 32_000 / best;
  } finally {
    await session.release();
  }
}
