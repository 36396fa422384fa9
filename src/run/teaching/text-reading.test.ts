import { afterEach, expect, it } from 'vitest';
import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { openOnnxFile } from '../../teachers/onnx-file.ts';
import { textModelFolder } from '../../teachers/testing/text-model-file.ts';
import { promptBefore } from './read-apart.ts';
import { ownTextReading } from './text-reading.ts';

let remove = () => {};
afterEach(() => remove());

/** A split of one sample, whose texts are these. */
function splitOf(...texts: string[]): Split {
  const shown = new TextEncoder().encode(texts.join('\u0000'));
  return { name: 'train', size: 1, buckets: [], shown: () => shown, close: () => {} } as unknown as Split;
}

const OWN = {
  rows: 1,
  filled: 1,
  keys: new Uint8Array(16),
  ordinals: Uint32Array.of(0),
  sizes: {},
  columns: {},
};

async function reader(prompt?: string) {
  const made = textModelFolder();
  remove = made.remove;
  const source = await openOnnxFile({ model: made.model, train: 'none', prompt });
  return (fields: string[], ...texts: string[]) => {
    const reading = ownTextReading(source, fields, promptBefore(prompt ?? ''));
    const { columns } = reading.batch(OWN as Batch, splitOf(...texts));
    const [ids, mask] = ['input_ids', 'attention_mask'].map((name) =>
      Array.from((columns[name]?.data ?? []) as BigInt64Array, Number),
    ) as [number[], number[]];
    return { reading, ids: ids.filter((_, i) => mask[i] === 1) };
  };
}

it('reads the prompt of the teacher before each text, and before the first of a pair, and keys answers by it', async () => {
  const plain = await reader();
  expect(plain(['text'], 'bb').ids).toEqual([1, 3, 3]);
  remove();
  const prompted = await reader('ab');
  const { ids, reading } = prompted(['text'], 'bb');
  expect(ids).toEqual([2, 3, 3, 3]);
  expect(prompted(['text', 'other'], 'b', 'a').ids).toEqual([2, 3, 3, 2]);
  const { preprocessing } = plain(['text'], 'bb').reading;
  expect(reading.preprocessing).toBe(`${preprocessing}, after "ab"`);
});
