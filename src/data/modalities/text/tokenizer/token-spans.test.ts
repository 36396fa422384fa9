import { expect, it } from 'vitest';
import { tokenBatch } from '../../../testing/batches.ts';
import { tokenSpans } from './token-spans.ts';

it('finds the tokens between the padding, on whichever side it is', () => {
  const rows = ['1110', '0011', '0100', '1000'];
  const batch = tokenBatch({
    rows: 4,
    filled: 3,
    length: 4,
    keys: new Uint8Array(48),
    ordinals: new Uint32Array(3),
    labels: new Int32Array(4),
    ids: new BigInt64Array(16),
    mask: BigInt64Array.from(rows.join(''), BigInt),
  });
  expect(tokenSpans(batch)).toEqual({
    padded: 4,
    starts: Uint32Array.of(0, 2, 1),
    lengths: Uint32Array.of(3, 2, 1),
  });
  expect(tokenSpans({ ...batch, sizes: { batch: 4 } })).toBeUndefined();
});
