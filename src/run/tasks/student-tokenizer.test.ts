import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { checkRecipe } from '../../recipe/parse.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { studentTokenizer } from './student-tokenizer.ts';

const folder = temporaryFolders();

/** The tokenizer that is learnt from a file of 40 texts, and the folder that keeps it. */
async function learnt(base: string, train: object): Promise<{ tokenizer: Tokenizer; kept: string }> {
  const file = join(base, 'texts.csv');
  if (!existsSync(file)) {
    const rows = Array.from({ length: 40 }, (_, i) => `text ${i} is a longer text,${'ab'[i % 2]}`);
    writeFileSync(file, ['text,label', ...rows].join('\n'));
  }
  const recipe = checkRecipe({
    name: 'learnt',
    data: {
      source: { kind: 'csv', path: 'texts.csv' },
      splits: { validation: 4, test: 4 },
    },
    inputs: { text: { modality: 'text', field: 'text', tokenizer: { train } } },
    student: { kind: 'text-ngrams' },
  });
  const options = { out: join(base, 'run'), storeFolder: join(base, 'cache', 'store'), recipeFolder: base };
  const tokenizer = await studentTokenizer({ recipe, options }, useLiteTokenizer);
  return { tokenizer, kept: join(base, 'cache', 'tokenizers') };
}

it('learns a vocabulary of the kind that a recipe names, and keeps it', async () => {
  const base = await folder();
  const { tokenizer, kept } = await learnt(base, { kind: 'bpe', vocabulary: 512, special: ['<|im_end|>'] });
  const tokens = (text: string) => tokenizer.encode(text).map((id) => tokenizer.token(id));
  expect(tokens(' longer text<|im_end|>?')).toEqual(['Ġlonger', 'Ġtext', '<|im_end|>', '?']);
  const [file, ...others] = readdirSync(kept);
  expect(others).toEqual([]);

  // What is kept is read: nothing is learnt twice.
  const path = join(kept, file as string);
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('<|im_end|>', '<|kept|>'));
  const again = await learnt(base, { kind: 'bpe', vocabulary: 512, special: ['<|im_end|>'] });
  expect(again.tokenizer.encode('<|kept|>')).toHaveLength(1);

  const { tokenizer: pieces } = await learnt(base, { vocabulary: 64 });
  expect(pieces.token(pieces.encode('Text')[1] as number)).toBe('text');
  expect(readdirSync(kept)).toHaveLength(2);
});

it('learns nothing of documents of which a piece is held out', async () => {
  const base = await folder();
  // Each has a word of its own, often enough to become a token. Their pieces are many or few, so that other documents are held out
  // by pieces than by documents.
  const letters = (i: number) => [...String(i)].map((digit) => 'bcdfghjklm'[Number(digit)]).join('');
  const words = Array.from({ length: 80 }, (_, i) => `q${letters(i)}x`);
  const documents = words.map((word, i) => `${word} `.repeat(3 + (i % 5) ** 3).trim());
  writeFileSync(join(base, 'texts.csv'), ['text', ...documents].join('\n'));
  const recipe = checkRecipe({
    name: 'documents',
    // Of its draw three documents would be read that are held out.
    seed: 6,
    task: 'text-generation',
    data: {
      source: { kind: 'csv', path: 'texts.csv' },
      splits: { validation: 0.2, test: 0.2 },
      maxLength: 16,
    },
    inputs: {
      text: { modality: 'text', field: 'text', tokenizer: { train: { kind: 'bpe', vocabulary: 1000 } } },
    },
    outputs: { logits: { target: 'next-tokens', field: 'text' } },
    student: { kind: 'gpt2', width: 8, heads: 2, layers: 1 },
  });
  const options = { out: join(base, 'run'), storeFolder: join(base, 'cache', 'store'), recipeFolder: base };
  const tokenizer = await studentTokenizer({ recipe, options }, useLiteTokenizer);
  const isKnown = (word: string) =>
    tokenizer.encode(`a ${word}`).some((id) => tokenizer.token(id) === `Ġ${word}`);
  const dataset = await prepareRecipeData({ recipe, options }, { tokenizer });
  const texts = (split: TextSplit) => Array.from({ length: split.size }, (_, i) => split.text(i));
  const heldOut = [dataset.splits.validation, dataset.splits.test].flatMap(texts);
  const own = words.filter((word) => heldOut.some((text) => text.includes(word)));
  expect(own.length).toBeGreaterThan(10);
  expect(own.filter(isKnown)).toEqual([]);
  expect(words.filter(isKnown).length).toBeGreaterThan(30);
  dataset.close();
});
