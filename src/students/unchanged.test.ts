import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from './backbone.ts';
import { buildClassifier } from './build-student.ts';
import { BACKBONES } from './index.ts';
import { pixelsLinear } from './pixels-linear.ts';

const INPUTS = {
  ...{ vocabularySize: 50, maxLength: 12, trainingTexts: [[3, 4, 5], [1, 2, 3, 4, 5, 6, 8], [9], [3, 4]] },
  ...{ channels: 2, height: 12, width: 12 },
  classes: 5,
};

/** Hashes of the classifiers that version 0.5 built, of their parameters' names and of what was drawn for them. */
const HASHES: readonly (readonly [kind: string, options: Record<string, unknown>, hash: string])[] = [
  ['text-conv', { width: 16 }, '365611c1106820d67e13ae8dd11774f8'],
  ['text-conv', { width: 8, embedding: 4, kernel: 2 }, 'd05791e2aef8527fbc1004948c77ead5'],
  ['text-ngrams', { buckets: 64 }, 'ad44151999864f26d9086f8a3caa626f'],
  ['text-ngrams', { buckets: 64, width: 5, longest: 3 }, 'c74ac6b9738f5dbd1318d82be2280d08'],
  [
    'text-ngrams',
    { buckets: 64, width: 0, convolution: { embedding: 4, width: 6 } },
    '4924b01d34876cf0387b61edaf89308d',
  ],
  [
    'text-ngrams',
    { buckets: 64, width: 7, weighting: 'mean', convolution: { embedding: 4, width: 6 } },
    '3ecde5e17508f96ea99044939819ec9e',
  ],
  ['text-attention', { width: 16 }, 'c4f566e73e069e13f31923fa036fa465'],
  ['text-attention', { width: 8, heads: 2, layers: 2, feedForward: 12 }, '2bde86eff0fc493d6ffa800e40c32540'],
  ['bert', { width: 8, heads: 2, layers: 2, feedForward: 16 }, '64ff7536e10f0e1af8a494025f787c8e'],
  ['resnet', { width: 8, blocks: 1, stages: 2 }, '907599b443b7537701cc5d441f202f1e'],
  [
    'resnet',
    { width: 4, blocks: 2, stages: 2, bottleneck: true, zeroInit: false },
    '10413e2429bc727718a37f6b051bdb68',
  ],
  ['mobilenet-v3', { size: 'tiny', width: 0.5 }, '295fd0d84d4e5ebff485ea8e1b66455e'],
  ['mobilenet-v3', { size: 'small', width: 0.25 }, '8e307a4d8d88f8a69b6824d7b05819e5'],
  ['pixels-linear', {}, '6909f4ccb5caf6461c074a55ab35b75f'],
  [
    'bert',
    { width: 8, heads: 2, layers: 1, feedForward: 16, pairs: true },
    '1cbda2b34a1ad4246c19e6dca9f5f03e',
  ],
];

// Checkpoints hold parameters by name, and a seed stands for the student that it draws.
it.each(HASHES)('%s %j is the same student as ever', (kind, options, hash) => {
  const backbone = [...BACKBONES, pixelsLinear].find((one) => one.kind === kind) as unknown as Backbone;
  const parsed = backbone.options.parse({ ...options }) as z.output<z.ZodObject>;
  const seed = kind === 'pixels-linear' ? 'p' : kind;
  const random = randomStream(1, seed);
  const student = buildClassifier(backbone, parsed, { ...INPUTS, ...pairsOf(options), random });
  const found = createHash('sha256').update(writeModel(student.graph)).update(student.parameters.join());
  expect(found.digest('hex').slice(0, 32)).toBe(hash);
});

function pairsOf({ pairs }: Record<string, unknown>): { pairs?: boolean } {
  return pairs === true ? { pairs } : {};
}
