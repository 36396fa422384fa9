import { afterAll, describe, expect, it } from 'vitest';
import { measureModel } from '../src/index.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { float32 } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { findChromium } from './support/chromium.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const g = new GraphBuilder();
const random = randomStream(1, 'measured');
const weights = float32(
  Float32Array.from({ length: 8 * 4 }, () => random.uniform() - 0.5),
  [8, 4],
);
g.output(g.relu(g.matMul(g.input('x', 'float32', ['batch', 8]), g.constant(weights))), 'y');
const file = place.path('model.onnx');
writeModelFile(file, g.build());

describe('limbeck measure', () => {
  it(
    'times a model in a process of its own',
    async () => {
      const result = await measureModel(file, { on: ['node'], seconds: 0.05 });
      const [measured] = result.measurements;
      expect(measured).toMatchObject({ file, on: 'node', many: { rows: 32 } });
      expect(measured?.runtime).toMatch(/^onnxruntime-node 1\.\d+\.\d+, Node /);
      expect(measured?.one.p50).toBeGreaterThan(0);
      expect(measured?.one.p99).toBeGreaterThanOrEqual(measured?.one.p50 ?? Number.NaN);
      expect(measured?.bytes.raw).toBeGreaterThan(8 * 4 * 4);
      expect(measured?.peakBytes).toBeGreaterThan(10 * 2 ** 20);
      expect(result.agreements).toEqual([]);
    },
    patience(30),
  );

  it(
    'ends a runtime that does not answer in time',
    async () => {
      const late = measureModel(file, { on: ['node'], seconds: 30, mostSeconds: 0.5 });
      await expect(late).rejects.toMatchObject({ code: 'measure.too-long', where: 'on node' });
    },
    patience(30),
  );

  it.skipIf(!findChromium())(
    'times it in a page, and compares the answers with those in Node',
    async () => {
      const { measurements, agreements } = await measureModel(file, { on: ['node', 'wasm'], seconds: 0.05 });
      expect(measurements.map(({ on }) => on)).toEqual(['node', 'wasm']);
      expect(measurements[1]?.runtime).toMatch(/^onnxruntime-web .*, wasm, Chromium /);
      expect(agreements).toMatchObject([{ output: 'y', on: ['node', 'wasm'], sameLargest: 1 }]);
      expect(agreements[0]?.largestDifference).toBeLessThan(1e-5);
      expect(agreements[0]).not.toHaveProperty('first');
    },
    patience(60),
  );
});
