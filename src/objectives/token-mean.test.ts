import { expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { maskAmong } from './token-mean.ts';

it('lays the mask on what is computed from texts, and not on an image with as many places', () => {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', [2, 4]);
  const mask = g.input('attention_mask', 'int64', [2, 4]);
  const pixels = g.input('pixel_values', 'float32', [2, 4, 6]);
  const tokens = g.relu(g.gather(g.input('table', 'float32', [9, 6]), ids));
  const patches = g.matMul(pixels, g.initializer('weight', float32(new Float32Array(36), [6, 6])));
  // Of other ids, as labels are: no words of this text.
  const other = g.gather(g.input('words', 'float32', [9, 6]), g.input('one', 'int64', [2]));
  const values = new Map([mask].map((value) => [value.name, value]));
  const model = {
    has: (name: string) => values.has(name),
    value: (name: string) => values.get(name) as typeof mask,
  };
  expect(maskAmong(g, model, tokens)).toBeDefined();
  expect(maskAmong(g, model, g.mul(patches, g.unsqueeze(g.cast(mask, 'float32'), [2])))).toBeDefined();
  expect(maskAmong(g, model, patches)).toBeUndefined();
  expect(maskAmong(g, model, other)).toBeUndefined();
  expect(maskAmong(g, { ...model, has: () => false }, tokens)).toBeUndefined();
});

it('leaves out what stands behind the words of a sentence, and nothing of the image that it is about', () => {
  const g = new GraphBuilder();
  const words = g.input('labels/sentence/words', 'int64', [2, 4]);
  const pixels = g.input('pixel_values', 'float32', [2, 4, 6]);
  const hidden = g.add(
    g.gather(g.input('table', 'float32', [9, 6]), words),
    g.reduceMean(pixels, { axes: [1] }),
  );
  const model = { has: () => false, value: () => words };
  const mask = maskAmong(g, model, hidden);
  expect(mask?.shape).toEqual([2, 4]);
  expect(maskAmong(g, model, g.relu(pixels))).toBeUndefined();
  // A sentence as a whole has no places.
  expect(maskAmong(g, model, g.reduceMean(hidden, { axes: [1], keepDims: false }))).toBeUndefined();
});
