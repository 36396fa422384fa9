import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { declaredLength } from './declared-length.ts';
import { readSentenceConfig } from './sentence-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-lengths-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('is a number of tokens, or none where there is no limit', () => {
  expect(declaredLength(512, 'x')).toEqual({ length: 512 });
  for (const none of [undefined, null, 1e30, 1e12]) expect(declaredLength(none, 'x')).toEqual({});
});

it.each([2, -1, 12.5, '512', true])('of %j is told and ignored', (value) => {
  const { length, note } = declaredLength(value, 'model_max_length');
  expect(length).toBeUndefined();
  expect(note).toBe(
    `model_max_length is ${JSON.stringify(value)}, which is no number of tokens: it is ignored`,
  );
});

it('of sentence-transformers is refused where it is none', () => {
  const read = (max_seq_length: unknown) => {
    writeFileSync(join(folder, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length }));
    return readSentenceConfig({ folders: [folder] })?.maxLength;
  };
  expect(read(128)).toBe(128);
  expect([read(1e12), read(null)]).toEqual([undefined, undefined]);
  for (const value of [2, -1, 12.5, '512'])
    expect(() => read(value)).toThrow(/its max_seq_length is not as sentence-transformers writes it/);
});
