import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Batch } from '../data/batch.ts';
import { idsOf } from '../data/testing/batches.ts';
import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { createOnnxTeacher } from '../teachers/onnx-teacher.ts';
import { labelSplit } from './label.ts';
import { KnowledgeStore } from './store.ts';
import { batchOf, range } from './testing/fake-teacher.ts';

const ROWS = 128;
const LENGTH = 32;
const WIDTH = 256;
const WARM_UP = 16;
const BATCHES = 40;

/** An encoder that takes about 0.4 ms a text on one thread: less than half of what small teachers take. */
function encoder(): Uint8Array {
  const random = randomStream(3, 'label-speed');
  const g = new GraphBuilder();
  const matrix = (name: string, rows: number, columns: number) => {
    const values = Float32Array.from({ length: rows * columns }, () => random.normal() / Math.sqrt(rows));
    return g.initializer(name, float32(values, [rows, columns]));
  };
  const ids = g.input('input_ids', 'int64', [ROWS, LENGTH]);
  let x: TypedValue = g.gather(matrix('embedding', 4000, WIDTH), ids);
  for (let layer = 0; layer < 12; layer++) x = g.tanh(g.matMul(x, matrix(`w${layer}`, WIDTH, WIDTH)));
  const pooled = g.reduceMean(x, { axes: [1], keepDims: false });
  g.output(g.matMul(pooled, matrix('head', WIDTH, 26)), 'logits');
  return writeModel(g.build());
}

// Processor time, on one thread, so that the share does not hang on what else the machine does meanwhile. What a
// commit waits for the disk comes on top: some 10 ms for 1,024 texts.
const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** An engine that adds up the time that ONNX Runtime takes. */
function timed(engine: Engine): { engine: Engine; seconds: () => number } {
  let sum = 0;
  return {
    seconds: () => sum,
    engine: {
      ...engine,
      async load(model, options) {
        const session = await engine.load(model, options);
        return {
          ...session,
          async run(feeds, fetches) {
            const start = processorSeconds();
            const outputs = await session.run(feeds, fetches);
            sum += processorSeconds() - start;
            return outputs;
          },
        };
      },
    },
  };
}

it('spends 90 % of the labelling time in ONNX Runtime', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-label-speed-'));
  const store = await KnowledgeStore.open(folder);
  const { engine, seconds } = timed(createNodeEngine({ threads: 1 }));
  const teacher = await createOnnxTeacher({ engine, model: encoder(), preprocessing: 'none' });
  const batches: Batch[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const batch = batchOf(range(ROWS, i * ROWS), ROWS, LENGTH);
    for (let at = 0; at < idsOf(batch).length; at++) idsOf(batch)[at] = BigInt((at * 31 + i) % 4000);
    batches.push(batch);
  }
  const label = (some: Batch[]) =>
    labelSplit({ teacher, taps: ['logits'], split: { batches: () => some }, store, batchSize: ROWS });
  await label(batches.slice(0, WARM_UP));
  const [warm, began] = [seconds(), processorSeconds()];
  const result = await label(batches);
  const share = (seconds() - warm) / (processorSeconds() - began);
  expect(result.labelled).toBe(ROWS * (BATCHES - WARM_UP));
  expect(share).toBeGreaterThan(0.9);
  await teacher.close();
  await store.close();
  rmSync(folder, { recursive: true });
});
