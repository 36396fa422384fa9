import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../data/testing/temporary-folder.ts';
import { createNodeEngine } from '../engine/node.ts';
import { writeDualEncoder } from '../export/dual-encoder.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { createOnnxTeacher } from './onnx-teacher.ts';
import { openPairFile } from './pair-file.ts';

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
