import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { checkRecipe } from '../../recipe/parse.ts';
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
