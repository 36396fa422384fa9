import { type Batch, SAMPLE_KEY_BYTES, variantOf } from '../../data/batch.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { ChosenSamples } from '../../data/batches/chosen-samples.ts';
import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { PAST, REPLAYED } from '../../objectives/replay.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { mixSeed, randomStream } from '../../random.ts';
import { readKnowledge, trainingBatch } from '../batches/sample-batches.ts';
import type { TrainingData } from '../context/task.ts';
import type { KeptSample } from './memory.ts';

export interface TaskBatchOptions {
  /** The split that new and kept samples lie in. */
  readonly split: Split;
  /** The new task's samples. */
  readonly samples: ChosenSamples;
  readonly classes: number;
  /** New samples in a batch, at most. */
  readonly batchSize: number;
  readonly epochs: number;
  /** The number of the task: another task has another order. */
  readonly task: number;
  readonly seed: number;
  /** Kept samples, and how many of them stand beside the new ones in each batch. */
  readonly memory?: { readonly kept: readonly KeptSample[]; readonly rows: number };
  /** What the student of the task before said of the new samples. */
  readonly past?: LabelSpace;
  /** What the teacher said of all samples. */
  readonly teacher?: LabelSpace;
}

/**
 * Batches of a task: new samples first, then kept ones of the same bucket, drawn with replacement. All epochs are one, so
 * that evaluations need not come after each pass: `batchesPerEpoch` is the whole training of the task.
 *
 * Where there is one bucket (images) batches are full, for batch statistics of a short one would be others; short ones
 * are filled with rows that do not count elsewhere.
 */
export function taskBatches(options: TaskBatchOptions): TrainingData {
  const { split, samples, epochs, task, memory } = options;
  const batchSize = Math.min(options.batchSize, samples.size);
  const rows = batchSize + (memory?.rows ?? 0);
  const order = batchOrder(samples, batchSize, mixSeed(options.seed, 'task', task));
  const isFull = samples.buckets.length === 1;
  const perEpoch = isFull ? Math.floor(samples.size / batchSize) : order.batchesPerEpoch;
  const keptIn = samples.buckets.map((_, bucket) =>
    (memory?.kept ?? []).filter((sample) => sample.bucket === bucket),
  );

  const planOf = (epoch: number, index: number) => {
    const plan = order.batch(epoch, index);
    // The samples that are left over at the end of an epoch are other ones in the next.
    return isFull && plan.indices.length < batchSize ? order.batch(epoch, order.batchesPerEpoch - 1) : plan;
  };
  const variants = samples.buckets.flatMap(({ size }, bucket) => {
    if (size === 0) return [];
    const { name, sizes } = variantOf(samples.readBatch(bucket, [0], rows));
    return [[name, sizes] as const];
  });
  return {
    variants: Object.fromEntries(variants),
    batches: {
      batchesPerEpoch: perEpoch * epochs,
      batch({ index: step }) {
        const [epoch, index] = [Math.floor(step / perEpoch), step % perEpoch];
        const { bucket, indices } = planOf(epoch, index);
        const random = randomStream(options.seed, 'replay', task, step);
        const among = keptIn[bucket] as KeptSample[];
        const replayed = Array.from(
          { length: among.length > 0 ? (memory?.rows ?? 0) : 0 },
          () => among[random.integer(among.length)] as KeptSample,
        );
        const places = [
          ...Array.from(indices, (i) => samples.place(bucket, i).index),
          ...replayed.map((sample) => sample.index),
        ];
        const batch = split.readBatch(bucket, places, rows);
        const whole = trainingBatch(batch);
        return {
          ...whole,
          feeds: {
            ...whole.feeds,
            ...pastFeeds(options, batch, indices.length, replayed),
            ...(options.teacher && { 'knowledge/logits': readKnowledge(options.teacher, batch) }),
          },
        };
      },
    },
  };
}

/** Which rows are replayed, and what past students said of each row. */
function pastFeeds(
  { classes, past, memory }: TaskBatchOptions,
  { rows, keys }: Batch,
  fresh: number,
  replayed: readonly KeptSample[],
): Record<string, Tensor> {
  const flags = new Float32Array(rows).fill(1, fresh, fresh + replayed.length);
  const feeds = { [REPLAYED]: float32(flags) };
  if (!past && !memory) return feeds;
  const answers = new Float32Array(rows * classes);
  past?.read(keys.subarray(0, fresh * SAMPLE_KEY_BYTES), answers);
  for (const [i, { logits }] of replayed.entries()) answers.set(logits, (fresh + i) * classes);
  return { ...feeds, [`knowledge/${PAST}`]: float32(answers, [rows, classes]) };
}
