import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { trainWordPiece } from '../../data/modalities/text/tokenizer/train-wordpiece.ts';
import { randomStream } from '../../random.ts';
import { checkRecipe } from '../../recipe/parse.ts';
import { buildGpt2 } from '../../students/gpt2.ts';
import { shippingLanguageModel } from './language-models.ts';

it('ends texts with what stood behind every document, where the tokenizer names no end of text', () => {
  const { json, config } = trainWordPiece(['a cat'], { vocabulary: 40, lowercase: true, minFrequency: 1 });
  const tokenizer = new Tokenizer(json, config);
  expect(tokenizer.endOfText).toEqual([]);
  const recipe = checkRecipe({
    name: 'small',
    task: 'text-generation',
    data: { source: { kind: 'jsonl', path: 'documents.jsonl' }, maxLength: 8 },
    inputs: { text: { modality: 'text', field: 'text', tokenizer: { train: { kind: 'wordpiece' } } } },
    outputs: { logits: { target: 'next-tokens', field: 'text' } },
    student: { kind: 'gpt2', width: 8, heads: 2, layers: 1 },
  });
  const place = mkdtempSync(join(tmpdir(), 'limbeck-language-model-'));
  try {
    const { graph } = buildGpt2(
      { width: 8, heads: 2, layers: 1 },
      { vocabularySize: tokenizer.vocabularySize, maxLength: 8, random: randomStream(1, 'x') },
    );
    shippingLanguageModel(recipe, tokenizer).write(join(place, 'student'), {
      model: graph,
      quantized: null,
      heads: [],
    });
    const read = (name: string) => JSON.parse(readFileSync(join(place, 'student', name), 'utf8'));
    const [begin, end] = tokenizer.encode('');
    expect([begin, end].map((id) => tokenizer.token(id as number))).toEqual(['[CLS]', '[SEP]']);
    for (const name of ['config.json', 'generation_config.json'])
      expect(read(name)).toMatchObject({
        bos_token_id: begin,
        eos_token_id: end,
        pad_token_id: tokenizer.padId,
      });
  } finally {
    rmSync(place, { recursive: true });
  }
});
