import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { toFloat16 } from '../onnx/half-float.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { float32, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { attachHead } from './classifier.ts';
import { type OnnxFileOptions, openOnnxFile } from './onnx-file.ts';
import { type TextModelChoices, textModelFolder } from './testing/text-model-file.ts';
import { normalizeTextModel } from './text-model.ts';
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

  it.each<[object, number]>([
    [{ max_position_embeddings: 128 }, 128],
    [{ n_positions: 1024, model_type: 'gpt2' }, 1024],
    [{ max_position_embeddings: 514, model_type: 'xlm-roberta', pad_token_id: 1 }, 512],
    [{ hidden_size: 8 }, 512],
  ])('takes the length from config.json where the tokenizer tells none: %j', async (config, length) => {
    const { model, tokenizer } = folderWith();
    writeFileSync(join(dirname(model), 'config.json'), JSON.stringify(config));
    expect((await openOnnxFile({ model, tokenizer, train: 'none' })).maxLength).toBe(length);
  });

  it('reads texts as sentence-transformers does, and says where its files disagree', async () => {
    const { model, tokenizer } = folderWith();
    const write = (name: string, content: object | string) =>
      writeFileSync(
        join(dirname(model), name),
        typeof content === 'string' ? content : JSON.stringify(content),
      );
    const opened = () => openOnnxFile({ model, tokenizer, train: 'none' });
    const plain = (await opened()).tokenizer;
    write('tokenizer_config.json', { model_max_length: 512 });
    write('sentence_bert_config.json', { max_seq_length: 256, do_lower_case: false });
    const shorter = await opened();
    expect(shorter.maxLength).toBe(256);
    expect(shorter.notes?.join()).toContain(
      '256 tokens, as sentence_bert_config.json says (max_seq_length), not at 512',
    );
    write('config.json', { max_position_embeddings: 128 });
    const fewer = await opened();
    expect(fewer.maxLength).toBe(128);
    expect(fewer.notes?.join()).toContain('says 256 tokens, and the model has positions for 128');
    write('sentence_bert_config.json', { max_seq_length: null, do_lower_case: true });
    const lowered = await opened();
    expect(lowered.maxLength).toBe(512);
    expect(lowered.notes?.join()).toContain('lowered before they are tokenized');
    expect(plain.encode('AB')).not.toEqual(plain.encode('ab'));
    expect(lowered.tokenizer.encode('AB')).toEqual(plain.encode('ab'));
    write('sentence_bert_config.json', '{"max_seq_length": "long"}');
    expect((await errorOf({ model, tokenizer, train: 'none' })).code).toBe('teacher.config');
  });

  it('knows inputs by the names that exporters give them, or by what it is told', async () => {
    const names = (ids: string, mask: string): TextModelChoices['inputs'] => [
      [ids, 'int64', ['n', 'l']],
      [mask, 'bool', ['n', 'l']],
    ];
    for (const [ids, mask] of [
      ['tokens', 'mask'],
      ['input_ids:0', 'attention_mask:0'],
      ['input_word_ids', 'input_mask'],
    ] as const) {
      const { model, tokenizer } = folderWith({ inputs: names(ids, mask) });
      const source = await openOnnxFile({ model, tokenizer, train: 'none' });
      expect(source.notes?.[0]).toContain(`'${ids}' is input_ids`);
      expect(await run(source.model, [[2, 3]])).toEqual({ logits: [2.5, 5, 1] });
      remove();
    }
    const { model, tokenizer } = folderWith({ inputs: names('a', 'b') });
    expect((await errorOf({ model, tokenizer, train: 'none' })).remedy).toContain('teacher.inputs');
    const inputs = { input_ids: 'a', attention_mask: 'b' };
    const source = await openOnnxFile({ model, tokenizer, inputs, train: 'none' });
    expect(await run(source.model, [[2, 3]])).toEqual({ logits: [2.5, 5, 1] });
    const wrong = { ...inputs, position_ids: 'c' };
    expect((await errorOf({ model, tokenizer, inputs: wrong, train: 'none' })).message).toContain(
      "no input 'c'",
    );
  });

  it('counts positions over the mask, wherever the padding is', async () => {
    const g = new GraphBuilder();
    for (const name of ['input_ids', 'attention_mask']) g.input(name, 'int64', ['n', 'l']);
    const positions = g.input('position_ids', 'int64', ['n', 'l']);
    g.output(g.cast(positions, 'float32'), 'positions');
    const { model } = normalizeTextModel(g.build(), 'here');
    const session = await createNodeEngine().load(writeModel(model));
    const ids = tensor('int64', [3, 4], new BigInt64Array(12));
    const mask = tensor('int64', [3, 4], BigInt64Array.of(1n, 1n, 1n, 0n, 0n, 0n, 1n, 1n, 1n, 1n, 1n, 1n));
    const result = await session.run({ input_ids: ids, attention_mask: mask });
    await session.release();
    expect([...(result.positions!.data as Float32Array)]).toEqual([0, 1, 2, 2, 0, 0, 0, 1, 0, 1, 2, 3]);
  });

  it('gives special tokens the type that the tokenizer gives them', async () => {
    const g = new GraphBuilder();
    for (const name of ['input_ids', 'attention_mask']) g.input(name, 'int64', ['n', 'l']);
    g.output(g.cast(g.input('token_type_ids', 'int64', ['n', 'l']), 'float32'), 'types');
    const types = { text: 0, special: new Map([[3, 2]]) };
    const { model } = normalizeTextModel(g.build(), 'here', { types });
    expect(await run(model, [[5, 6, 4, 3]])).toEqual({ types: [0, 0, 0, 2] });
  });

  it('opens the folder of a model, with the tokenizer that lies there', async () => {
    const { model, tokenizer } = folderWith();
    const source = await openOnnxFile({ model: dirname(model), train: 'none' });
    expect(source).toMatchObject({ title: 'model.onnx', file: model });
    expect(await run(source.model, [[2, 3]])).toEqual({ logits: [2.5, 5, 1] });
    rmSync(tokenizer);
    writeFileSync(join(dirname(model), 'vocab.txt'), 'a');
    const error = await errorOf({ model: dirname(model), train: 'none' });
    expect(error).toMatchObject({
      code: 'tokenizer.missing',
      remedy: expect.stringContaining('save_pretrained'),
    });
  });

  it('asks a model that was exported in training mode as it answers, and one in float16 in float32', async () => {
    const { model, tokenizer } = folderWith();
    const g = new GraphBuilder();
    const ids = g.input('input_ids', 'int64', ['n', 'l']);
    g.input('attention_mask', 'int64', ['n', 'l']);
    const training = g.input('training', 'bool', []);
    const half = (value: number) => toFloat16(value);
    const rows = Uint16Array.from([0, 0, 1, 1, 2, 1, 2, 4, 1, 3, 6, 1].map(half));
    const table = g.initializer('table', tensor('float16', [4, 3], rows));
    const mean = g.reduceMean(g.gather(table, ids), { axes: [1], keepDims: false });
    const [dropped] = g.node('Dropout', [mean, g.scalar(0.5), training]);
    g.output(dropped!, 'logits');
    writeModelFile(model, g.build());
    const source = await openOnnxFile({ model, tokenizer, train: 'none' });
    expect(source.model.inputs.map(({ name }) => name)).toEqual(['input_ids', 'attention_mask']);
    expect(source.notes).toEqual([
      expect.stringContaining('training mode (1 Dropout)'),
      expect.stringContaining('computes in float16'),
    ]);
    expect(await run(source.model, [[2, 3]])).toEqual({ logits: [2.5, 5, 1] });
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
    const { model, tokenizer } = folderWith({ output: 'pooler_output' });
    const error = await errorOf({ model, tokenizer, train: 'none' });
    expect(error.code).toBe('teacher.outputs');
    expect(error.where).toContain('pooler_output: float32 [batch, 3]');
    expect(error.remedy).toContain('teacher.output');
  });

  it('takes the only scores of a model for its classes, whatever their name, and says so', async () => {
    const { model, tokenizer } = folderWith({ output: 'intents' });
    const source = await openOnnxFile({ model, tokenizer, train: 'none' });
    expect(source.logitsOutput).toBe('logits');
    expect(source.notes).toContain("the teacher's only output 'intents' is taken for its scores");
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
