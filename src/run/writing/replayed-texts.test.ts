import { expect, it } from 'vitest';
import { ReplayedTexts } from './replayed-texts.ts';

const batch = (...texts: number[][]) => texts.map((ids) => ({ ids: Int32Array.from(ids), promptLength: 1 }));

it('keeps the last batches, and the same ones in a checkpoint', () => {
  const kept = new ReplayedTexts(2);
  kept.add(batch([1, 2]));
  kept.add(batch([3, 4, 5], [6, 7]));
  kept.add(batch([8, 9]));
  expect(kept.size).toBe(2);
  expect(kept.at(0)).toEqual(batch([3, 4, 5], [6, 7]));
  const again = new ReplayedTexts(2);
  again.restore(kept.save());
  expect([again.at(0), again.at(1)]).toEqual([kept.at(0), kept.at(1)]);
  expect(() => again.at(2)).toThrow('no batch 2 of 2 is kept');
  const empty = new ReplayedTexts(2);
  empty.restore(new ReplayedTexts(1).save());
  expect(empty.size).toBe(0);
});
