import { expect, test } from 'vitest';
import { imageBatch } from '../../data/testing/batches.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { batchBytes } from './batch-bytes.ts';

const batch = (rows: number) =>
  imageBatch({
    ...{ rows, filled: 1, keys: new Uint8Array(16), ordinals: new Uint32Array(rows) },
    ...{ labels: new Int32Array(rows), dims: [1, 4, 4], pixels: new Float32Array(16 * rows) },
  });

test('what lives at once of a batch, and what is given, half as much again', () => {
  const g = new GraphBuilder();
  const image = g.input('pixel_values', 'float32', ['batch', 1, 4, 4]);
  const weight = g.initializer('weight', float32(new Float32Array(8 * 9), [8, 1, 3, 3]));
  const wide = g.relu(g.op('Conv', [image, weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }));
  g.output(g.op('GlobalAveragePool', [wide]), 'mean');
  // The convolution's [rows, 8, 4, 4] beside that of its Relu, and [rows, 8] that are given.
  const each = 4 * (2 * 8 * 16 + 8);
  expect(batchBytes(g.build(), batch(2))).toBe(1.5 * 2 * each);
  expect(batchBytes(g.build(), batch(64))).toBe(1.5 * 64 * each);
});
