import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { libraryDifferences } from './library-differences.ts';
import { Tokenizer } from './tokenizer.ts';
import { useLiteTokenizer } from './use-lite-tokenizer.ts';

// Written by scripts/tokenizer-cases.py with the reference library.
const { texts, models, cases } = JSON.parse(
  readFileSync(new URL('../../../testing/reference-tokens.json', import.meta.url), 'utf8'),
) as {
  texts: string[];
  models: Record<string, object>;
  cases: { name: string; parts: object; model: string; other: object; differs: boolean; ids: number[][] }[];
};

const all = cases.map(({ name, parts, model, other, differs, ids }) => ({
  name,
  ids,
  differs,
  tokenizer: new Tokenizer({ ...parts, model: { ...models[model], ...other } }, {}),
}));
const said = (tokenizer: Tokenizer) => tokenizer.warnings.filter((text) => text.includes('than in Python'));

describe('tokens as the reference gives them', () => {
  it.each(all.filter(({ differs }) => !differs))('$name', ({ tokenizer, ids }) => {
    for (const [i, text] of texts.entries()) expect(tokenizer.encode(text), text).toEqual(ids[i]);
    expect(said(tokenizer)).toEqual([]);
  });
});

describe('other tokens than the reference gives, and that is said', () => {
  it.each(all.filter(({ differs }) => differs))('$name', ({ tokenizer, ids }) => {
    // Where this fails, the library was mended: then nothing is to be said any more.
    expect(texts.map((text) => tokenizer.encode(text))).not.toEqual(ids);
    expect(said(tokenizer)).not.toEqual([]);
  });
});

it('has nothing to say of the tokenizer that comes with Limbeck', async () => {
  expect((await useLiteTokenizer()).warnings).toEqual([]);
});

it('says which added tokens are found inside words', () => {
  const added_tokens = ['e-mail', 'x'].map((content, id) => ({ id, content, single_word: true }));
  expect(libraryDifferences({ model: {}, added_tokens })).toEqual([
    expect.stringContaining('"e-mail", "x" are also found inside other words'),
  ]);
});
