import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openOnnxFile } from './onnx-file.ts';
import { textModelFolder } from './testing/text-model-file.ts';

let remove = () => {};
afterEach(() => remove());

const POOLING = {
  'modules.json': [{ type: 'sentence_transformers.models.Pooling', path: 'pooling' }],
  'sentence_bert_config.json': { max_seq_length: 64 },
};
const versionOf = (sentence_transformers: string) => ({
  'config_sentence_transformers.json': { __version__: { sentence_transformers } },
});

/** What a classifier with such files beside it reads of a text; its tokenizer has a token for a blank. */
async function readWith(files: Readonly<Record<string, unknown>>, prompt = '') {
  const made = textModelFolder();
  remove = made.remove;
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(dirname(made.model), name), JSON.stringify(content));
  const { tokenizer, notes = [] } = await openOnnxFile({
    model: made.model,
    train: 'none',
    answers: 'class',
    prompt,
  });
  return {
    ids: tokenizer.encode(`${prompt}  b \n`),
    plain: tokenizer.encode(`${prompt}b`),
    told: notes.join(),
  };
}

it.each([
  [{ ...POOLING, ...versionOf('2.2.2') }, 'in version 2.2.2'],
  [{ ...POOLING, ...versionOf('5.3.0') }, 'in version 5.3.0'],
  [POOLING, 'before version 5.4'],
  [{ 'modules.json': [] }, 'before version 5.4'],
  [{ 'sentence_bert_config.json': {} }, 'before version 5.4'],
])('blanks around texts are left out as sentence-transformers did, and told: %j', async (files, told) => {
  const read = await readWith(files);
  expect(read.ids).toEqual(read.plain);
  expect(read.told).toContain(
    `blanks around texts are left out before the teacher reads them, as sentence-transformers did ${told}`,
  );
});

it.each([
  [{ ...POOLING, ...versionOf('5.4.0') }],
  [{ ...POOLING, ...versionOf('6.0.1') }],
  // Not of sentence-transformers.
  [{}],
  [versionOf('2.2.2')],
])('blanks around texts are left to the tokenizer: %j', async (files) => {
  const read = await readWith(files);
  expect(read.ids.length).toBeGreaterThan(read.plain.length);
  expect(read.told).not.toContain('blanks');
});

it('a blank between a prompt and its text stays', async () => {
  const read = await readWith(POOLING, 'b');
  expect(read.ids.length).toBeGreaterThan(read.plain.length);
});
