import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { writeDualEncoder } from '../../export/dual-encoder.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { checkRecipe } from '../../recipe/parse.ts';
import { openTask } from './index.ts';

const newFolder = temporaryFolders();
let folder: string;

/** Vectors that tell what was seen: the first token, and the mean of the pixels. */
function seeingModel(size: number | 'side') {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const pixels = g.input('pixel_values', 'float32', ['batch', 3, size, size]);
  const first = g.cast(g.slice(g.mul(ids, mask), 1, 0, 1), 'float32');
  g.output(g.concat([first, first], 1), 'text_embeds');
  const mean = g.unsqueeze(g.reduceMean(pixels, { axes: [1, 2, 3], keepDims: false }), [1]);
  const sum = g.unsqueeze(g.reduceSum(pixels, { axes: [1, 2, 3], keepDims: false }), [1]);
  g.output(g.concat([mean, sum], 1), 'image_embeds');
  return g.build('seeing');
}

beforeEach(async () => {
  folder = await newFolder();
  const rows = ['file,caption'];
  for (let i = 0; i < 20; i++) {
    const grey = 100 + i;
    const image = sharp({
      create: { width: 16, height: 16, channels: 3, background: { r: grey, g: grey, b: grey } },
    });
    writeFileSync(join(folder, `${i}.png`), await image.png().toBuffer());
    rows.push(`${i}.png,the grey number ${i}`);
  }
  writeFileSync(join(folder, 'captions.csv'), `${rows.join('\n')}\n`);
});

/** A run with a teacher in the folder `name`, whose preprocessor cuts to 8 pixels. */
async function open(
  name: string,
  { size, maxLength = 16, kind = 'onnx-pair' }: { size: number | 'side'; maxLength?: number; kind?: string },
) {
  const tokenizer = await useLiteTokenizer();
  const config = {
    do_resize: true,
    size: { shortest_edge: 8 },
    do_center_crop: true,
    crop_size: { height: 8, width: 8 },
    do_rescale: true,
    do_normalize: true,
    image_mean: [0.1, 0.1, 0.1],
    image_std: [0.2, 0.2, 0.2],
  };
  const dims = [3, typeof size === 'number' ? size : 8, typeof size === 'number' ? size : 8] as const;
  writeDualEncoder(join(folder, name), {
    model: seeingModel(size),
    quantized: null,
    architecture: 'seeing',
    width: 2,
    logitScale: 10,
    vocabularySize: tokenizer.vocabularySize,
    padTokenId: tokenizer.padId,
    maxLength,
    dims,
    files: [
      ...tokenizer.toShippedFiles(maxLength),
      { name: 'preprocessor_config.json', bytes: Buffer.from(JSON.stringify(config)) },
    ],
  });
  const recipe = checkRecipe({
    name: 'pairs',
    task: 'zero-shot-image-classification',
    inputs: {
      text: { modality: 'text', field: 'caption' },
      image: { modality: 'image', field: 'file', size: 16 },
    },
    outputs: { pairs: { target: 'pairs', width: 2 } },
    data: {
      source: { kind: 'csv', path: 'captions.csv' },
      splits: { validation: 4, test: 4 },
      maxLength: 12,
      buckets: [12],
    },
    teacher: { kind, model: name, precision: 'f32' },
    student: { kind: 'dual-encoder' },
    objective: [{ kind: 'cosineKd', output: 'image_embeds' }],
    store: 'store',
  });
  return openTask({
    recipe,
    options: { recipeFolder: folder, out: join(folder, 'runs', name), storeFolder: join(folder, 'store') },
  });
}

describe('a teacher of pairs with a preprocessor of its own', () => {
  it.each([
    ['its own size', 8, 64],
    ['a size that its file alone says', 'side', 64],
    ["the student's size", 16, 256],
  ] as const)('sees pixels as it knows them, in %s', async (_, size, pixels) => {
    const task = await open(`of-${size}`, { size });
    const data = await task.prepareData({});
    try {
      const split = data.dataset.splits.train;
      const batch = split.readBatch(0, [0, 1, 2], 4);
      const read = data.teacherReads?.batch(batch, split) ?? batch;
      expect(read.columns.pixel_values?.dims.slice(1)).toEqual(size === 16 ? [3, 16, 16] : [3, 8, 8]);
      const { inputs } = task.teacher?.model ?? { inputs: [] };
      const feeds = Object.fromEntries(inputs.map(({ name }) => [name, read.columns[name]!]));
      const { image_embeds: seen } = await runGraph(task.teacher!.model, feeds);
      for (let row = 0; row < 3; row++) {
        const grey = 100 + Number(/\d+/.exec(split.example(batch.ordinals[row]!).text)?.[0]);
        const wanted = (grey / 255 - 0.1) / 0.2;
        const [mean, sum] = [...(seen!.data as Float32Array)].slice(2 * row, 2 * row + 2);
        expect(mean).toBeCloseTo(wanted, 4);
        expect(sum! / mean!).toBeCloseTo(3 * pixels, 1);
      }
      const notes = task.teacher?.notes?.filter((note) => note.includes('makes its images otherwise'));
      expect(notes).toHaveLength(size === 16 ? 1 : 0);
    } finally {
      data.dataset.close();
    }
  });

  it('under the names of its columns, too, where the data have its size', async () => {
    const task = await open('columns', { size: 16, kind: 'onnx-columns' });
    const data = await task.prepareData({});
    try {
      const { dataset } = data;
      const { columns, ordinals } = dataset.splits.train.readBatch(0, [0], 1);
      const model = task.teacher!.model;
      const feeds = Object.fromEntries(model.inputs.map(({ name }) => [name, columns[name]!]));
      const grey = 100 + Number(/\d+/.exec(dataset.splits.train.example(ordinals[0]!).text)?.[0]);
      const { image_embeds: seen } = await runGraph(model, feeds);
      expect(seen!.data[0]).toBeCloseTo((grey / 255 - 0.1) / 0.2, 4);
    } finally {
      data.dataset.close();
    }
  });

  it('is refused where texts are longer than it reads', async () => {
    await expect(open('short', { size: 8, maxLength: 8 })).rejects.toMatchObject({
      code: 'teacher.length',
      message: 'the teacher reads 8 tokens, not 12',
    });
  });
});
