import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutoProcessor,
  AutoTokenizer,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  pipeline,
  RawImage,
} from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { image } from '../data/modalities/image/image.ts';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../data/testing/temporary-folder.ts';
import { createNodeEngine } from '../engine/node.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from '../students/backbone.ts';
import { buildStudent } from '../students/build-student.ts';
import { clip } from '../students/clip.ts';
import { dualEncoder } from '../students/dual-encoder.ts';
import { openHead } from '../targets/index.ts';
import { pairs } from '../targets/pairs.ts';
import type { AnyTarget } from '../targets/target.ts';
import { writeDualEncoder } from './dual-encoder.ts';

const newFolder = temporaryFolders();
const WIDTH = 16;

test.each([
  [
    'dual-encoder',
    dualEncoder as unknown as Backbone,
    {
      text: { kind: 'text-conv', embedding: 8, width: 8 },
      image: { kind: 'mobilenet-v3', size: 'tiny', width: 0.5 },
    },
    {},
  ],
  [
    'clip',
    clip as unknown as Backbone,
    {
      text: { width: 8, heads: 2, layers: 2 },
      image: { width: 12, heads: 3, layers: 3, patch: 16 },
    },
    {
      text_config: { hidden_size: 8, num_attention_heads: 2, num_hidden_layers: 2, intermediate_size: 32 },
      vision_config: {
        ...{ hidden_size: 12, num_attention_heads: 3, num_hidden_layers: 3, intermediate_size: 48 },
        ...{ patch_size: 16, image_size: 32 },
      },
    },
  ],
])(
  'transformers.js loads %s for zero-shot-image-classification, and each tower alone',
  async (kind, backbone, options, config) => {
    const folder = join(await newFolder(), 'student');
    const tokenizer = await useLiteTokenizer();
    const processor = await image.open(
      image.options.parse({ size: 32, normalization: { mean: [0.5, 0.5, 0.5], deviation: [0.3, 0.3, 0.3] } }),
      { input: 'image', fields: ['image'], maxLength: 0, buckets: [], resolvePath: (path) => path },
    );
    const student = buildStudent({
      backbone,
      options: backbone.options.parse(options),
      inputs: {
        text: { vocabularySize: tokenizer.vocabularySize, maxLength: 16 },
        image: { channels: 3, height: 32, width: 32 },
      } as never,
      heads: [
        openHead({
          output: 'pair_embeds',
          target: pairs as unknown as AnyTarget,
          options: { width: WIDTH },
          space: { width: 2 * WIDTH },
          labels: 'labels',
        }),
      ],
      random: randomStream(1, 'student'),
    });
    const model = toEvaluationForm(student.graph);
    writeDualEncoder(folder, {
      model,
      quantized: null,
      architecture: kind,
      width: WIDTH,
      logitScale: 20,
      vocabularySize: tokenizer.vocabularySize,
      padTokenId: tokenizer.padId,
      maxLength: 16,
      dims: [3, 32, 32],
      files: [
        ...tokenizer.toShippedFiles(16),
        ...Object.entries(processor.files()).map(([name, bytes]) => ({ name, bytes })),
      ],
    });

    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toMatchObject(config);
    const labels = ['a red apple', 'dog', 'flag: Germany'];
    const pixels = Uint8ClampedArray.from({ length: 3 * 32 * 32 }, (_, i) => (i * 37) % 256);
    const picture = new RawImage(pixels, 32, 32, 3);
    const classify = await pipeline('zero-shot-image-classification', folder, {
      dtype: 'fp32',
      local_files_only: true,
    });
    const found = (await classify(picture, labels, { hypothesis_template: '{}' })) as {
      label: string;
      score: number;
    }[];

    const files = { local_files_only: true, dtype: 'fp32' } as const;
    const texts = (await AutoTokenizer.from_pretrained(folder, files))(labels, {
      padding: true,
      truncation: true,
    });
    const { text_embeds } = await (await CLIPTextModelWithProjection.from_pretrained(folder, files))(texts);
    const images = await (await AutoProcessor.from_pretrained(folder, files))(picture);
    const { image_embeds } = await (await CLIPVisionModelWithProjection.from_pretrained(folder, files))(
      images,
    );
    expect([text_embeds.dims, image_embeds.dims]).toEqual([
      [3, WIDTH],
      [1, WIDTH],
    ]);

    // The same numbers by the student's own graph, fed by our own tokenizer and processor.
    const ids = labels.map((label) => tokenizer.encode(label, 16));
    const length = Math.max(...ids.map((row) => row.length));
    const padded = (values: number[][], pad: number) =>
      int64(
        values.flatMap((row) => [...row, ...new Array(length - row.length).fill(pad)]),
        [3, length],
      );
    const shown = processor.columns[0]?.shape as readonly number[];
    const own = float32(new Float32Array(3 * 3072), [3, ...shown]);
    const planes = Uint8Array.from(
      { length: 3072 },
      (_, i) => pixels[3 * (i % 1024) + Math.floor(i / 1024)] as number,
    );
    for (let row = 0; row < 3; row++) processor.decode(planes, { pixel_values: own }, row, {});
    const session = await createNodeEngine().load(
      writeModel(withOutputs(model, ['text_embeds', 'image_embeds', 'pair_embeds'])),
    );
    const answers = await session.run({
      input_ids: padded(ids, tokenizer.padId),
      attention_mask: padded(
        ids.map((row) => row.map(() => 1)),
        0,
      ),
      pixel_values: own,
    });
    await session.release();
    const [byText, byImage, both] = ['text_embeds', 'image_embeds', 'pair_embeds'].map(
      (name) => answers[name]?.data,
    ) as [Float32Array, Float32Array, Float32Array];
    expect(both.subarray(0, 2 * WIDTH)).toEqual(
      Float32Array.of(...byText.subarray(0, WIDTH), ...byImage.subarray(0, WIDTH)),
    );
    expect([...text_embeds.data]).toEqual([...byText].map((x) => expect.closeTo(x, 5)));
    expect([...image_embeds.data]).toEqual([...byImage.subarray(0, WIDTH)].map((x) => expect.closeTo(x, 5)));
    const logits = labels.map((_, text) => {
      let sum = 0;
      for (let k = 0; k < WIDTH; k++) sum += (byText[text * WIDTH + k] as number) * (byImage[k] as number);
      return Math.exp(20 * sum);
    });
    const total = logits.reduce((sum, x) => sum + x, 0);
    for (const { label, score } of found)
      expect(score).toBeCloseTo((logits[labels.indexOf(label)] as number) / total, 5);
  },
);
