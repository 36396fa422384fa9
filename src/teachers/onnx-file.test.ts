import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { attachHead } from './classifier.ts';
import { type OnnxFileOptions, openOnnxFile } from './onnx-file.ts';
import { type TextModelChoices, textModelFolder } from './testing/text-model-file.ts';
import { feedsFor } from './use-lite/testing/token-rows.ts';

let remove = () => {};
afterEach(() => remove());

function folderWith(choices?: TextModelChoices) {
  const made = textModelFolder(choices);
  remove = made.remove;
  return made;
}

async function errorOf(options: OnnxFileOptions): Promise<LimbeckError> {
  const outcome = await openOnnxFile(options).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(LimbeckError);
  return outcome as LimbeckError;
}

async function run(model: Graph, rows: number[][]): Promise<Record<string, number[]>> {
  const session = await createNodeEngine().load(writeModel(model));
  const outputs = await session.run(feedsFor(rows));
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
}

describe('openOnnxFile', () => {
  it('opens a classifier with its tokenizer', async () => {
    const { model, tokenizer } = folderWith();
    const source = await openOnnxFile({ model, tokenizer, train: 'none' });
    expect(source.logitsOutput).toBe('logits');
    expect(source.title).toBe('model.onnx');
    expect(source.maxLength).toBe(512);
    expect(source.tokenizer.encode('ab')).toEqual([2, 3]);
    expect(source.model.inputs.map(({ shape }) => shape)).toEqual([
      ['batch', 'sequence'],
      ['batch', 'sequence'],
    ]);
    expect(await run(source.model, [[2, 3]])).toEqual({ logits: [2.5, 5, 1] });
  });

  it('takes the length from the tokenizer, unless it says that there is none', async () => {
    const { model, tokenizer } = folderWith();
    const config = join(dirname(tokenizer), 'tokenizer_config.json');
    writeFileSync(config, '{"model_max_length": 64}');
    expect((await openOnnxFile({ model, tokenizer, train: 'none' })).maxLength).toBe(64);
    writeFileSync(config, '{"model_max_length": 1e30}');
    expect((await openOnnxFile({ model, tokenizer, train: 'none' })).maxLength).toBe(512);
  });

  it('makes one embedding a text of one a token, for a head', async () => {
    const { model, tokenizer } = folderWith({ output: 'last_hidden_state', pooled: false });
    const source = await openOnnxFile({ model, tokenizer, train: 'head' });
    expect(source).toMatchObject({ embeddingOutput: 'sentence_embedding', embeddingWidth: 3 });
    expect(source.logitsOutput).toBeUndefined();
    const outputs = await run(source.model, [[1, 2, 3], [3]]);
    expect(outputs.sentence_embedding).toEqual([2, 4, 1, 3, 6, 1]);

    const head = { weight: float32([1, 0, 0, 1, 0, 10], [3, 2]), bias: float32([0, -1]) };
    const classifier = attachHead(source.model, head);
    expect((await run(classifier, [[1, 2, 3], [3]])).logits).toEqual([2, 13, 3, 15]);
  });

  it('fills token types and casts ids inside the model', async () => {
    const { model, tokenizer } = folderWith({
      inputs: [
        ['input_ids', 'int32', ['n', 'l']],
        ['attention_mask', 'float32', ['n', 'l']],
        ['token_type_ids', 'int64', ['n', 'l']],
      ],
    });
    const source = await openOnnxFile({ model, tokenizer, train: 'none' });
    expect(source.model.inputs.map((input) => input.name)).toEqual(['input_ids', 'attention_mask']);
    expect(await run(source.model, [[2]])).toEqual({ logits: [2, 4, 1] });
  });

  it.each([3, 2000])('refuses a tokenizer of 4 pieces for a model that embeds %i', async (rows) => {
    const { model, tokenizer } = folderWith({ rows });
    const error = await errorOf({ model, tokenizer, train: 'none' });
    expect(error.code).toBe('teacher.vocabulary');
    expect(error.message).toContain(`4 pieces where the model embeds ${rows}`);
  });

  it('accepts a table with some rows to spare', async () => {
    const { model, tokenizer } = folderWith({ rows: 128 });
    await expect(openOnnxFile({ model, tokenizer, train: 'none' })).resolves.toBeDefined();
  });

  it('lists the outputs of a model without logits', async () => {
    const { model, tokenizer } = folderWith({ output: 'scores' });
    const error = await errorOf({ model, tokenizer, train: 'none' });
    expect(error.code).toBe('teacher.outputs');
    expect(error.where).toContain('scores: float32 [batch, 3]');
  });

  it('refuses logits that are not a score a class', async () => {
    const { model, tokenizer } = folderWith({ pooled: false });
    const error = await errorOf({ model, tokenizer, train: 'none' });
    expect(error.code).toBe('teacher.outputs');
    expect(error.message).toContain('logits: float32 [batch, sequence, 3]');
  });

  it('lists the outputs of a model without an embedding', async () => {
    const { model, tokenizer } = folderWith();
    const error = await errorOf({ model, tokenizer, train: 'head' });
    expect(error.code).toBe('teacher.outputs');
    expect(error.where).toContain('logits');
  });

  it.each<[string, TextModelChoices['inputs'], string]>([
    ['no mask', [['input_ids', 'int64', ['n', 'l']]], "no input 'attention_mask'"],
    [
      'an image',
      [
        ['input_ids', 'int64', ['n', 'l']],
        ['attention_mask', 'int64', ['n', 'l']],
        ['pixel_values', 'float32', ['n', 3, 8, 8]],
      ],
      "input 'pixel_values'",
    ],
    [
      'a fixed batch',
      [
        ['input_ids', 'int64', [1, 'l']],
        ['attention_mask', 'int64', [1, 'l']],
      ],
      "'input_ids' has the shape [1, l]",
    ],
  ])('refuses inputs that texts do not fill: %s', async (_, inputs, message) => {
    const { model, tokenizer } = folderWith({ inputs });
    const error = await errorOf({ model, tokenizer, train: 'none' });
    expect(error.code).toBe('teacher.inputs');
    expect(error.message).toContain(message);
    expect(error.where).toContain('input_ids: int64');
  });

  it('says which file is missing', async () => {
    const { model, tokenizer } = folderWith();
    rmSync(tokenizer);
    expect((await errorOf({ model, tokenizer, train: 'none' })).code).toBe('tokenizer.missing');
    writeFileSync(tokenizer, '{');
    expect((await errorOf({ model, tokenizer, train: 'none' })).code).toBe('tokenizer.invalid');
  });
});
