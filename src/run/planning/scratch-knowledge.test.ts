import { expect, it } from 'vitest';
import { SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import { withScratchTaps } from './scratch-knowledge.ts';

const folder = temporaryFolders();
/** Two texts of 4 and 3 tokens. */
const batch = tokenBatch({
  rows: 2,
  filled: 2,
  length: 4,
  keys: Uint8Array.from({ length: 2 * SAMPLE_KEY_BYTES }, (_, i) => i),
  ordinals: Uint32Array.of(0, 1),
  labels: new Int32Array(2),
  ids: new BigInt64Array(8),
  mask: BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 1n, 1n, 0n),
});
const split = { size: 2, buckets: [{ size: 2, length: 4 }], readBatch: () => batch } as unknown as Split;

it('answers with what may be a probability, for losses that take its logarithm', async () => {
  const found = await withScratchTaps(
    await folder(),
    [split],
    new Map([['map', ['sequence', 'sequence'] as const]]),
    async (spaces) => readKnowledge(spaces.get('map')!, batch),
  );
  expect(found.dims).toEqual([2, 4, 4]);
  const values = found.data as Float32Array;
  expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(new Set(values).size).toBeGreaterThan(20);
  expect(values.filter((value) => value > 0)).toHaveLength(16 + 9);
});
