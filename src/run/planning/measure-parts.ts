import type { Batch } from '../../data/batch.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { feedsOf } from '../../teachers/model-batches.ts';
import type { PartedModel } from '../../teachers/parts/parted-model.ts';
import { partsInWords } from '../../teachers/parts/parts-in-words.ts';
import { diskAtOnce } from '../../teachers/parts/pass-size.ts';
import { type BucketSizes, lengthOf } from './batch-counts.ts';
import { rowsWithin } from './batch-seconds.ts';
import type { PlanningContext } from './planning-context.ts';
import { secondsPerCall, timed } from './timing.ts';

/**
 * Times a batch of `rows` samples in every part of a teacher, and the loading of the parts, which many batches share. Where a few
 * samples take the first part long enough, all parts are timed on these, and their time is multiplied.
 *
 * @param firstOf a batch of so many samples
 */
export async function measureParts(
  { graph, parts, open }: PartedModel,
  firstOf: (rows: number) => Batch,
  {
    rows,
    memory,
    checkInterrupted,
  }: Pick<PlanningContext, 'memory' | 'checkInterrupted'> & { readonly rows: number },
): Promise<{ readonly openSeconds: number; readonly seconds: number }> {
  let batch = firstOf(1);
  const known = new Map<string, Tensor>();
  let [openSeconds, seconds] = [0, 0];
  for (const [part, { carriedOut, answers }] of parts.entries()) {
    checkInterrupted();
    const opened = await timed(() => open(part));
    openSeconds += opened.seconds;
    const session = opened.value;
    try {
      const own = graph.inputs.filter(({ name }) => session.inputNames.includes(name));
      const fetches = Object.fromEntries([...carriedOut.keys(), ...answers].map((name) => [name, null]));
      if (part === 0) {
        const one = await timed(() => session.run(feedsOf(own, batch), fetches));
        batch = firstOf(rowsWithin(one.seconds, 1, rows));
      }
      const feeds = feedsOf(own, batch);
      for (const name of session.inputNames) if (known.has(name)) feeds[name] = known.get(name) as Tensor;
      for (const [name, value] of Object.entries(await session.run(feeds, fetches))) known.set(name, value);
      seconds += await secondsPerCall(() => session.run(feeds, fetches), checkInterrupted);
      memory.observe();
    } finally {
      await session.release();
    }
    for (const earlier of parts.slice(0, part + 1))
      for (const [name, until] of earlier.carriedOut) if (until <= part) known.delete(name);
  }
  return { openSeconds, seconds: (seconds * rows) / batch.rows };
}

/** Of a teacher that is asked in parts: for people, and the bytes that lie between its parts at once, for a split. */
export interface PartsPlan {
  readonly told: string;
  diskBytes(split: BucketSizes): number;
}

/** What is told of a teacher in parts. Values between them are taken to be kept with their padding. */
export function partsPlan(model: PartedModel): PartsPlan {
  return {
    told: partsInWords(model),
    diskBytes({ buckets }) {
      let [samples, tokens] = [0, 0];
      for (const bucket of buckets) {
        samples += bucket.size;
        tokens += bucket.size * lengthOf(bucket);
      }
      return diskAtOnce(model.carried, { samples, tokens });
    },
  };
}
