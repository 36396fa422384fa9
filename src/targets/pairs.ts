import { z } from 'zod';
import { pairRecall } from '../metrics/pair-recall.ts';
import { A_PAIR } from './inner/vectors.ts';
import { defineTarget } from './target.ts';
import { vectorTruth } from './vectors-truth.ts';

const options = z
  .object({
    width: z.int().positive().max(8192).describe('Numbers in the vector of a text, and of an image.'),
  })
  .describe('Vectors of both sides of a pair (a text and an image), in one space.');

/** A pair's vectors beside each other: output float32 [batch, 2 * width]. What belongs together is all that is known. */
export const pairs = defineTarget({
  kind: 'pairs',
  title: 'vectors of pairs',
  options,
  features: 'pooled',
  truth: ({ width }) => vectorTruth(2 * width),
  spaceOf: ({ width }) => ({ width: 2 * width }),
  attach: (_g, _make, features, { scope, options: { width } }) => features.project(scope, 2 * width),
  objective: { labels: {}, teacher: {} },
  answerParts: ['text', 'image'],
  metrics({ options: { width }, sides = [] }) {
    return (['both', 'text-to-image', 'image-to-text'] as const).flatMap((direction) =>
      [1, 10].map((k) => pairRecall({ width, k, direction, weights: sides })),
    );
  },
  inner: A_PAIR,
  example: { width: 2 },
  selection: 'recall@10',
  encoding: 'float16',
  config: (_space, { width }) => ({ projection_dim: width }),
});
