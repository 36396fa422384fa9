import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { PIXEL_VALUES } from '../../src/data/columns.ts';
import type { Processor } from '../../src/data/modalities/modality.ts';
import type { Sample } from '../../src/data/sample.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type Tensor, zeros } from '../../src/onnx/tensor.ts';
import {
  FACTS_FILE,
  GALLERY_FILE,
  type Gallery,
  type ModelFacts,
  packVectors,
  SHEET_FILE,
  TEXT_MODEL_FILE,
  VECTORS_FILE,
} from './gallery.ts';
import { imageProcessorOf } from './image-processor.ts';

const COLUMNS = 40;
const BATCH = 32;

/** Writes what the page shows of the drawings: one sheet of images, and their names. */
export async function writeGallery(folder: string, samples: readonly Sample[]): Promise<void> {
  const drawings = samples.map(
    ({ values }) => values.image as { pixels: Uint8Array; dims: readonly number[] },
  );
  const side = drawings[0]?.dims[1] as number;
  const rows = Math.ceil(drawings.length / COLUMNS);
  const sheet = Buffer.alloc(COLUMNS * side * rows * side * 3, 255);
  drawings.forEach(({ pixels }, index) => {
    const [left, top] = [(index % COLUMNS) * side, Math.floor(index / COLUMNS) * side];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const to = ((top + y) * COLUMNS * side + left + x) * 3;
        for (let channel = 0; channel < 3; channel++)
          sheet[to + channel] = pixels[(channel * side + y) * side + x] as number;
      }
    }
  });
  const gallery: Gallery = { names: samples.map(({ values }) => `${values.name}`), side, columns: COLUMNS };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, GALLERY_FILE), JSON.stringify(gallery));
  const raw = { width: COLUMNS * side, height: rows * side, channels: 3 } as const;
  writeFileSync(join(folder, SHEET_FILE), await sharp(sheet, { raw }).png({ palette: true }).toBuffer());
}

/** Writes what the page needs of a model that was exported: its text tower, its tokenizer, its vectors of the drawings. */
export async function writeModel(
  folder: string,
  {
    engine,
    title,
    student,
    samples,
  }: {
    readonly engine: Engine;
    readonly title: string;
    /** The folder that a run left. */
    readonly student: string;
    readonly samples: readonly Sample[];
  },
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(student, name), join(folder, name));
  const text = join(student, 'onnx', TEXT_MODEL_FILE);
  copyFileSync(text, join(folder, TEXT_MODEL_FILE));
  const processor = await imageProcessorOf(student);
  const { vectors, width } = await vectorsOf(
    engine,
    join(student, 'onnx', 'vision_model.onnx'),
    processor,
    samples,
  );
  writeFileSync(join(folder, VECTORS_FILE), packVectors(vectors));
  const facts: ModelFacts = { title, width, bytes: statSync(text).size };
  writeFileSync(join(folder, FACTS_FILE), JSON.stringify(facts));
}

/** A vector of each drawing, one after another. */
async function vectorsOf(
  engine: Engine,
  model: string,
  processor: Processor,
  samples: readonly Sample[],
): Promise<{ vectors: Float32Array; width: number }> {
  const session = await engine.load(model);
  const shape = processor.columns[0]?.shape as readonly number[];
  const found: Float32Array[] = [];
  let width = 0;
  try {
    for (let start = 0; start < samples.length; start += BATCH) {
      const part = samples.slice(start, start + BATCH);
      const pixels = zeros('float32', [part.length, ...shape]);
      for (const [row, { values }] of part.entries()) {
        const { bytes } = await processor.encode(values.image);
        processor.decode(bytes, { [PIXEL_VALUES]: pixels }, row, {});
      }
      const answers = await session.run({ [PIXEL_VALUES]: pixels }, { image_embeds: null });
      const { dims, data } = answers.image_embeds as Tensor;
      width = dims[1] as number;
      found.push(data as Float32Array);
    }
  } finally {
    await session.release();
  }
  const vectors = new Float32Array(samples.length * width);
  let at = 0;
  for (const part of found) {
    vectors.set(part, at);
    at += part.length;
  }
  return { vectors, width };
}
