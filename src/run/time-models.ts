import type { TokenBatch } from '../data/batch.ts';
import type { TokenSplit } from '../data/token-split.ts';
import type { Session } from '../engine/engine.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { measureSpeed, type Speed, type SpeedInputs } from './measure-speed.ts';
import type { RunContext } from './run-context.ts';

const SPEED_CALLS = 50;

/** Times every model on the same calls. */
export async function timeModels(
  run: Pick<RunContext, 'emit' | 'options' | 'checkInterrupted'>,
  sessions: ReadonlyMap<string, Session>,
  split: TokenSplit,
): Promise<Map<string, Speed>> {
  const inputs: SpeedInputs = { one: [...speedCalls(split, 1)], thirtyTwo: [...speedCalls(split, 32)] };
  const speeds = new Map<string, Speed>();
  for (const [name, session] of sessions) {
    run.checkInterrupted();
    run.emit({
      type: 'progress',
      stage: 'evaluate',
      task: 'timing',
      done: speeds.size,
      total: sessions.size,
      unit: 'models',
    });
    speeds.set(name, await measureSpeed(session, inputs, run.options.timingSeconds));
  }
  return speeds;
}

/**
 * Calls of `rows` texts taken from all over the split, cut to the longest of them as a tokenizer pads them. Where the
 * split is so small that no bucket has so many texts, a call takes some of them several times.
 */
function* speedCalls(split: TokenSplit, rows: number): Generator<Record<string, Tensor>> {
  const bucketsOf = (least: number) =>
    split.buckets.flatMap(({ size }, bucket) => (size >= least ? [bucket] : []));
  const large = bucketsOf(rows);
  const usable = large.length > 0 ? large : bucketsOf(1);
  const total = usable.reduce((sum, bucket) => sum + split.buckets[bucket].size, 0);
  for (let call = 0; call < SPEED_CALLS && total > 0; call++) {
    // Buckets come up as often as they are full; inside one, calls are spread evenly.
    let place = Math.floor(((call + 0.5) / SPEED_CALLS) * total);
    const bucket = usable.find((candidate) => {
      const { size } = split.buckets[candidate];
      if (place < size) return true;
      place -= size;
      return false;
    }) as number;
    const { size } = split.buckets[bucket];
    const first = Math.max(0, Math.min(place, size - rows));
    const indices = Array.from({ length: rows }, (_, row) => (first + row) % size);
    yield cutToLongest(split.readBatch(bucket, indices, rows));
  }
}

function cutToLongest({ ids, mask, rows, length }: TokenBatch): Record<string, Tensor> {
  let longest = 1;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1n) longest = Math.max(longest, (i % length) + 1);
  const cut = (values: BigInt64Array) => {
    const result = new BigInt64Array(rows * longest);
    for (let row = 0; row < rows; row++)
      result.set(values.subarray(row * length, row * length + longest), row * longest);
    return tensor('int64', [rows, longest], result);
  };
  return { input_ids: cut(ids), attention_mask: cut(mask) };
}
