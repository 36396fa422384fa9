import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../data/testing/temporary-folder.ts';
import { createNodeEngine } from '../engine/node.ts';
import { writeDualEncoder } from '../export/dual-encoder.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from '../students/backbone.ts';
import { buildStudent } from '../students/build-student.ts';
import { dualEncoder, frozenValue } from '../students/dual-encoder.ts';
import { openHead } from '../targets/index.ts';
import { pairs } from '../targets/pairs.ts';
import type { AnyTarget } from '../targets/target.ts';
import { createOnnxTeacher } from './onnx-teacher.ts';
import { openPairFile } from './pair-file.ts';
import { openUseLite } from './use-lite/open.ts';

const newFolder = temporaryFolders();
let folder: string;
let files: { name: string; bytes: Uint8Array }[];

/** Vectors that tell which row they are of: the first token, and the mean of the pixels. */
function plainModel() {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const pixels = g.input('pixel_values', 'float32', ['batch', 3, 4, 4]);
  const first = g.cast(g.slice(g.mul(ids, mask), 1, 0, 1), 'float32');
  g.output(g.concat([first, g.mul(first, 0)], 1), 'text_embeds');
  const mean = g.reduceMean(pixels, { axes: [1, 2, 3], keepDims: false });
  g.output(g.concat([g.unsqueeze(mean, [1]), g.unsqueeze(mean, [1])], 1), 'image_embeds');
  return g.build('plain');
}

beforeAll(async () => {
  folder = join(await newFolder(), 'pair');
  const tokenizer = await useLiteTokenizer();
  const config = { do_rescale: true, do_normalize: true, image_mean: [0.5], image_std: [0.25] };
  files = [
    ...tokenizer.toShippedFiles(16),
    { name: 'preprocessor_config.json', bytes: Buffer.from(JSON.stringify(config)) },
  ];
  writeDualEncoder(folder, {
    model: plainModel(),
    quantized: null,
    architecture: 'plain',
    width: 2,
    logitScale: 10,
    vocabularySize: tokenizer.vocabularySize,
    padTokenId: tokenizer.padId,
    maxLength: 16,
    dims: [3, 4, 4],
    files,
  });
});

test('a folder as it is exported teaches: row i of the texts with row i of the images', async () => {
  const source = await openPairFile(folder);
  expect(source).toMatchObject({ title: 'pair', width: 2, dims: [3, 4, 4], maxLength: 16, notes: [] });
  expect(source.pixels).toEqual({ scale: 1 / 255, mean: [0.5], deviation: [0.25] });
  const teacher = await createOnnxTeacher({
    engine: createNodeEngine(),
    model: writeModel(source.model),
    preprocessing: '',
  });
  expect(Object.keys(teacher.outputs)).toEqual(['text_embeds', 'image_embeds']);
  const columns = {
    input_ids: int64([7, 1, 8, 1], [2, 2]),
    attention_mask: int64([1, 1, 1, 1], [2, 2]),
    pixel_values: float32([...new Array(48).fill(1), ...new Array(48).fill(3)], [2, 3, 4, 4]),
  };
  const batch = {
    rows: 2,
    filled: 2,
    keys: new Uint8Array(32),
    ordinals: Uint32Array.of(0, 1),
    sizes: { batch: 2, sequence: 2 },
    columns,
  };
  const answers = await teacher.label(batch, ['text_embeds', 'image_embeds']);
  await teacher.close();
  expect([...(answers.text_embeds as Float32Array)]).toEqual([7, 0, 8, 0]);
  expect([...(answers.image_embeds as Float32Array)]).toEqual([1, 1, 3, 3]);
  // A default prompt beside it is not read.
  const prompts = { prompts: { query: 'find: ' }, default_prompt_name: 'query' };
  writeFileSync(join(folder, 'config_sentence_transformers.json'), JSON.stringify(prompts));
  const { notes, prompt } = await openPairFile(folder);
  expect(prompt).toBeUndefined();
  expect(notes).toEqual([
    "the default prompt 'find: ' of config_sentence_transformers.json is not read before texts that have images",
  ]);
});

test('a model without the vectors is refused with what it has', async () => {
  const other = join(await newFolder(), 'other');
  mkdirSync(join(other, 'onnx'), { recursive: true });
  for (const { name, bytes } of files) writeFileSync(join(other, name), bytes);
  const g = new GraphBuilder();
  g.output(g.relu(g.input('pixel_values', 'float32', ['batch', 3, 4, 4])), 'image_embeds');
  writeModelFile(join(other, 'onnx', 'model.onnx'), g.build('other'));
  await expect(openPairFile(other)).rejects.toMatchObject({
    code: 'teacher.outputs',
    message: 'the model has no output text_embeds',
    where: expect.stringContaining('image_embeds'),
  });
});

test('the trained part of a model is one with the encoder that comes from its package, and answers as the whole', async () => {
  const encoder = await openUseLite();
  const student = buildStudent({
    backbone: dualEncoder as unknown as Backbone,
    options: dualEncoder.options.parse({
      text: { kind: 'use-lite', projection: 'linear' },
      image: { kind: 'mobilenet-v3', size: 'tiny', width: 0.5 },
    }),
    inputs: {
      text: { vocabularySize: encoder.tokenizer.vocabularySize, maxLength: 16 },
      image: { channels: 3, height: 32, width: 32 },
      frozen: { graph: encoder.model, output: encoder.embeddingOutput },
    } as never,
    heads: [
      openHead({
        output: 'pair_embeds',
        target: pairs as unknown as AnyTarget,
        options: { width: 8 },
        space: { width: 16 },
        labels: 'labels',
      }),
    ],
    random: randomStream(1, 'student'),
  });
  const whole = join(await newFolder(), 'whole');
  const { tokenizer } = encoder;
  writeDualEncoder(whole, {
    model: toEvaluationForm(student.graph),
    quantized: null,
    architecture: 'dual-encoder',
    encoder: { kind: 'use-lite', vectors: frozenValue(encoder.embeddingOutput as string) },
    width: 8,
    logitScale: 10,
    vocabularySize: tokenizer.vocabularySize,
    padTokenId: tokenizer.padId,
    maxLength: 16,
    dims: [3, 32, 32],
    files,
  });
  const part = join(await newFolder(), 'part');
  mkdirSync(join(part, 'onnx'), { recursive: true });
  for (const name of ['config.json', 'preprocessor_config.json', 'onnx/trained_model.onnx'])
    copyFileSync(join(whole, name), join(part, name));
  expect(statSync(join(part, 'onnx/trained_model.onnx')).size).toBeLessThan(400_000);
  const engine = createNodeEngine();
  const answersOf = async (path: string) => {
    const session = await engine.load(writeModel((await openPairFile(path)).model));
    const answers = await session.run({
      input_ids: int64([2001, 85, 7, 11, 9, 0], [2, 3]),
      attention_mask: int64([1, 1, 1, 1, 1, 0], [2, 3]),
      pixel_values: float32(
        Array.from({ length: 6144 }, (_, i) => (i % 17) / 17),
        [2, 3, 32, 32],
      ),
    });
    await session.release();
    return ['text_embeds', 'image_embeds'].map((name) => answers[name]?.data);
  };
  expect(await answersOf(part)).toEqual(await answersOf(whole));
  expect((await openPairFile(part)).tokenizer.hash).toBe(tokenizer.hash);
  // Without what says which encoder it is, nobody knows how to read texts.
  writeFileSync(join(part, 'config.json'), '{}');
  await expect(openPairFile(part)).rejects.toMatchObject({ code: 'teacher.inputs' });
});
