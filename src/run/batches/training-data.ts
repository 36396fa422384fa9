import { JoinedSplit } from '../../data/added/joined-split.ts';
import { type Batch, variantName } from '../../data/batch.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { OrderOf } from '../../data/batches/curriculum-order.ts';
import { dropTokens } from '../../data/batches/token-dropout.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { PlainBatchSource } from '../../train/batch-source.ts';
import type { TrainingData } from '../context/task.ts';
import { trainingBatch } from './sample-batches.ts';

export interface TrainingDataOptions {
  readonly recipe: Pick<Recipe, 'data' | 'training' | 'seed'>;
  readonly split: RecordSplit;
  /** At most; there may be fewer samples. */
  readonly batchSize: number;
  /** What the teacher said, by tap. */
  readonly knowledge?: ReadonlyMap<string, LabelSpace> | undefined;
  /** Samples beside those of the split. */
  readonly added?: readonly Split[] | undefined;
  /** In what order samples come; every one once an epoch when absent. */
  readonly orderOf?: OrderOf | undefined;
  /** The token that hidden ones become, where samples have tokens and the recipe hides some. */
  readonly unknownToken?: number | undefined;
}

/**
 * The batches of a training: in the order that the seed gives, or that of a curriculum.
 *
 * Samples of several lengths come in batches of one length each, the last of which are short. Where all samples have one
 * shape batches are full, for statistics of a short one would be others: the samples that are left over at the end of an
 * epoch are other ones in the next. Such samples come in the view whose turn it is (`data.augmentation`).
 */
export function trainingDataOf(options: TrainingDataOptions): TrainingData {
  const { split, recipe } = options;
  if (!split.buckets.some(({ length }) => length !== undefined)) return fullBatches(options);
  if (!recipe.data.augmentation) return bucketedBatches(options);
  if (split.buckets.length === 1) return fullBatches(options);
  throw new LimbeckError('recipe.invalid', 'samples of several lengths are not varied', {
    where: 'data.augmentation',
    remedy:
      'Pad all texts to one length, data.buckets: [24] for a data.maxLength of 24, or leave data.augmentation out.',
  });
}

function bucketedBatches(options: TrainingDataOptions): TrainingData {
  const { recipe, split: own, batchSize, knowledge, added = [], orderOf } = options;
  const { seed } = recipe;
  const split = taughtSamples(recipe, own, added);
  const hide = hiding(options);
  return {
    variants: variantsOf(own, batchSize),
    batches: batchesByBucket({ split, batchSize, seed, knowledge, orderOf, hide }),
  };
}

/** What is taught of a split and what was added to it: the latter alone, where a recipe has texts written for that. */
function taughtSamples({ data }: Pick<Recipe, 'data'>, own: Split, added: readonly Split[]): Split {
  const [first, ...others] = data.written?.alone && added.length > 0 ? added : [own, ...added];
  return others.length > 0 ? new JoinedSplit([first as Split, ...others]) : (first as Split);
}

/** Hides tokens as the recipe wants it; undefined where it hides none. */
function hiding({
  recipe: { seed, training },
  unknownToken: unkId,
}: TrainingDataOptions): ((batch: Batch, epoch: number, index: number) => Batch) | undefined {
  const fraction = training.tokenDropout;
  if (unkId === undefined || fraction === 0) return undefined;
  return (batch, epoch, index) => dropTokens(batch, { fraction, unkId, seed }, epoch, index);
}

/** A split's batches in the order that the seed gives, each of samples of one bucket; the last of a bucket may be short. */
export function batchesByBucket(options: {
  readonly split: Split;
  readonly batchSize: number;
  readonly seed: number;
  /** What the teacher said, by tap. */
  readonly knowledge?: ReadonlyMap<string, LabelSpace> | undefined;
  /** In what order samples come; every one once an epoch when absent. */
  readonly orderOf?: OrderOf | undefined;
  /** Hides a part of a batch, anew in every epoch. */
  readonly hide?: ((batch: Batch, epoch: number, index: number) => Batch) | undefined;
}): PlainBatchSource {
  const { split, batchSize, seed, knowledge, orderOf = batchOrder, hide } = options;
  const order = orderOf(split, batchSize, seed);
  return {
    batchesPerEpoch: order.batchesPerEpoch,
    ahead: true,
    batch({ epoch, index }) {
      const { bucket, indices } = order.batch(epoch, index);
      const batch = split.readBatch(bucket, indices, batchSize);
      return trainingBatch(hide?.(batch, epoch, index) ?? batch, knowledge);
    },
  };
}

/** The compiled steps that a split needs: one for each of its buckets, the empty ones too. */
export function variantsOf(
  { buckets, axis }: Pick<RecordSplit, 'buckets' | 'axis'>,
  batchSize: number,
): TrainingData['variants'] {
  const sizes = buckets.map(({ length }) => ({
    batch: batchSize,
    ...(axis !== undefined && length !== undefined && { [axis]: length }),
  }));
  return Object.fromEntries(sizes.map((own) => [variantName(own), own]));
}

/** A split with every view that training takes of its samples: no more than there are epochs. */
export function inViews(
  { data, training, seed }: Pick<Recipe, 'data' | 'training' | 'seed'>,
  split: RecordSplit,
): { readonly split: RecordSplit; readonly views: number } {
  if (!data.augmentation) return { split, views: 1 };
  const views = Math.min(data.augmentation.views, training.epochs);
  return { split: split.withViews({ count: views, seed, options: data.augmentation }), views };
}

function fullBatches(options: TrainingDataOptions): TrainingData {
  const { recipe, split: samples, knowledge, added = [], orderOf = batchOrder } = options;
  const { split: own, views } = inViews(recipe, samples);
  const split = added.length > 0 ? new JoinedSplit([own, ...added]) : own;
  const size = samples.samples + split.size - own.size;
  const batchSize = Math.min(options.batchSize, size);
  const order = orderOf({ buckets: [{ size }] }, batchSize, recipe.seed);
  const hide = hiding(options);
  return {
    variants: variantsOf(samples, batchSize),
    batches: {
      batchesPerEpoch: Math.floor(size / batchSize),
      ahead: true,
      batch({ epoch, index }) {
        const from = (epoch % views) * samples.samples;
        const afterViews = own.size - samples.samples;
        const indices = fullBatch(order, epoch, index, batchSize).map(
          (sample) => sample + (sample < samples.samples ? from : afterViews),
        );
        const batch = split.readBatch(0, indices, batchSize);
        return trainingBatch(hide?.(batch, epoch, index) ?? batch, knowledge);
      },
    },
  };
}

/** Batch `index`, or the last one in the place of the short one. */
function fullBatch(
  order: ReturnType<typeof batchOrder>,
  epoch: number,
  index: number,
  batchSize: number,
): Uint32Array {
  const { indices } = order.batch(epoch, index);
  return indices.length === batchSize ? indices : order.batch(epoch, order.batchesPerEpoch - 1).indices;
}
