import { expect, it } from 'vitest';
import { SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import type { TokenSplit } from '../../data/token-split.ts';
import { withScratchTaps } from './scratch-knowledge.ts';

const folder = temporaryFolders();
const keys = Uint8Array.from({ length: 2 * SAMPLE_KEY_BYTES }, (_, i) => i);
const split = {
  size: 2,
  buckets: [{ size: 2, length: 4 }],
  readBatch: () => ({ keys, filled: 2, rows: 2 }),
} as unknown as TokenSplit;

it('answers with what may be a probability, for losses that take its logarithm', async () => {
  const found = new Float32Array(2 * 4 * 4);
  await withScratchTaps(
    await folder(),
    [split],
    (length) => new Map([['map', [length, length]]]),
    async (spaces) => {
      spaces
        .get(split)
        ?.get('map')
        ?.at({ sizes: { batch: 2, sequence: 4 } })
        .read(keys, found);
    },
  );
  expect(found.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(new Set(found).size).toBeGreaterThan(20);
});
