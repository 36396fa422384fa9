import { expect, test } from 'vitest';
import { loweredFirst } from './normalized-first.ts';

test('texts are lowered before what a tokenizer does to them, unless it lowers them itself', () => {
  const nfc = { type: 'NFC' };
  const lower = { type: 'Lowercase' };
  expect(loweredFirst({ normalizer: null })).toEqual({ normalizer: lower });
  expect(loweredFirst({ normalizer: nfc })).toEqual({
    normalizer: { type: 'Sequence', normalizers: [lower, nfc] },
  });
  expect(loweredFirst({ normalizer: { type: 'Sequence', normalizers: [nfc] } })).toEqual({
    normalizer: { type: 'Sequence', normalizers: [lower, nfc] },
  });
  const cased = { normalizer: { type: 'BertNormalizer', lowercase: false } };
  expect(loweredFirst(cased)).not.toBe(cased);
  for (const normalizer of [
    { type: 'BertNormalizer', lowercase: true },
    { type: 'Sequence', normalizers: [nfc, lower] },
  ]) {
    const json = { normalizer };
    expect(loweredFirst(json)).toBe(json);
  }
});
