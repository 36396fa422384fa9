import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, RawImage } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patience } from '../../test/support/patience.ts';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { decodeBoxes } from '../targets/decode-boxes.ts';
import { writeObjectDetector } from './object-detector.ts';
import { MODEL_FILE } from './package-folder.ts';

const LABELS = ['dark', 'light', 'other'];
const [ROWS, COLUMNS] = [4, 6];
const CELLS = ROWS * COLUMNS;
let folder: string;

/** Maps that hang on the pixels by nothing but the mean of the image, which is added to the heat. */
function maps(): Float32Array {
  const data = new Float32Array((4 + LABELS.length) * CELLS).fill(-8);
  const put = (kind: number, row: number, column: number, logit: number, sizes: readonly number[]) => {
    const cell = row * COLUMNS + column;
    sizes.forEach((value, i) => {
      data[i * CELLS + cell] = value;
    });
    data[(4 + kind) * CELLS + cell] = logit;
  };
  put(1, 1, 2, 2, [2, 1.5, 0.25, 0.5]);
  // Beside a higher one: no peak.
  put(1, 1, 3, 1, [1, 1, 0, 0]);
  // Below a half, and still there.
  put(0, 3, 5, -1, [1, 1, 0.5, 0.5]);
  return data;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-detector-'));
  const g = new GraphBuilder();
  const pixels = g.input('pixel_values', 'float32', ['batch', 3, 16, 24]);
  const nothing = g.mul(g.reduceMean(pixels, { axes: [1, 2, 3] }), 0);
  g.output(g.add(g.constant(float32([...maps()], [1, 4 + LABELS.length, ROWS, COLUMNS])), nothing), 'boxes');
  const preprocessor = {
    ...{
      do_resize: true,
      size: { height: 16, width: 24 },
      resample: 2,
      do_rescale: true,
      rescale_factor: 1 / 255,
    },
    ...{
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      image_processor_type: 'ViTImageProcessor',
    },
  };
  writeObjectDetector(folder, {
    model: g.build('detector'),
    quantized: null,
    architecture: 'resnet',
    labels: LABELS,
    maps: { output: 'boxes', classes: LABELS.length, rows: ROWS, columns: COLUMNS },
    config: { grid: [ROWS, COLUMNS], threshold: 0.25 },
    dims: [3, 16, 24],
    preprocessor: new TextEncoder().encode(JSON.stringify(preprocessor)),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe('a shipped detector', () => {
  it(
    'is read by pipeline("object-detection") of transformers.js',
    async () => {
      const detect = (await pipeline('object-detection', folder, {
        dtype: 'fp32',
        local_files_only: true,
      })) as unknown as ((
        image: unknown,
        options: object,
      ) => Promise<{ score: number; label: string; box: Record<string, number> }[]>) & {
        dispose(): Promise<void>;
      };
      const image = new RawImage(new Uint8ClampedArray(48 * 64 * 3), 64, 48, 3);
      const found = await detect(image, { threshold: 0.2, percentage: true });
      await detect.dispose();
      expect(found.map(({ label }) => label)).toEqual(['light', 'dark']);
      expect(found[0]!.score).toBeCloseTo(sigmoid(2), 5);
      expect(found[1]!.score).toBeCloseTo(sigmoid(-1), 5);
      const box = Object.values(found[0]!.box);
      [1.25 / 6, 0.75 / 4, 3.25 / 6, 2.25 / 4].forEach((edge, i) => {
        expect(box[i]).toBeCloseTo(edge, 5);
      });
    },
    patience(30),
  );

  it('gives maps that decodeBoxes reads alike, in batches', async () => {
    const engine = createNodeEngine({ threads: 1 });
    const session = await engine.load(readFileSync(join(folder, MODEL_FILE)));
    const answers = await session.run({
      pixel_values: float32(new Array(2 * 3 * 16 * 24).fill(0), [2, 3, 16, 24]),
    });
    await session.release();
    expect(answers.pred_boxes!.dims).toEqual([2, 3 * CELLS, 4]);
    expect(answers.logits!.dims).toEqual([2, 3 * CELLS, 4]);
    const [first, second] = decodeBoxes(answers.boxes!, LABELS, { threshold: 0.2 });
    expect(second).toEqual(first);
    expect(first!.map(({ label }) => label)).toEqual(['light', 'dark']);
    expect(first![0]!.score).toBeCloseTo(sigmoid(2), 5);
    const [cx, cy, width, height] = answers.pred_boxes!.data as Float32Array as unknown as [
      number,
      number,
      number,
      number,
    ];
    const corners = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
    corners.forEach((edge, i) => {
      expect(first![0]!.box[i]).toBeCloseTo(edge, 5);
    });
    expect(decodeBoxes(answers.boxes!, LABELS, { threshold: 0.5 })[0]).toHaveLength(1);
    expect(() => decodeBoxes(answers.boxes!, ['one'])).toThrow(/expected maps float32/);
  });
});
