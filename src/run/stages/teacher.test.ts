import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { quantizeDynamic } from '../../compress/quantize-dynamic.ts';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import { createNodeEngine } from '../../engine/node.ts';
import type { Graph } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { RunContext } from '../context/run-context.ts';
import { StageClock } from '../context/stage-clock.ts';
import type { TaskData } from '../context/task.ts';
import { RunFolder } from '../folder/run-folder.ts';
import { teacherStage } from './teacher.ts';

/** Logits from the sum of the ids. */
function classifier(): Graph {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const sum = g.reduceSum(g.cast(ids, 'float32'), { axes: [1], keepDims: true });
  const hidden = g.matMul(sum, g.initializer('first', float32(new Float32Array(16).fill(1), [1, 16])));
  g.output(
    g.matMul(hidden, g.initializer('second', float32(new Float32Array(32).fill(1), [16, 2]))),
    'logits',
  );
  return g.build('teacher');
}

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'limbeck-teacher-'));
});
afterEach(() => rmSync(path, { recursive: true }));

it('makes a damaged teacher again, instead of asking it about everything anew', async () => {
  const model = classifier();
  const taught: string[] = [];
  const said: string[] = [];
  const stage = async () => {
    const folder = new RunFolder(path, 'name: a\n', { recipeFolder: '/', storeFolder: '/' });
    const run = {
      folder,
      engine: createNodeEngine({ threads: 1 }),
      // Our own sentence encoder is not examined: there are no samples here to examine it with.
      recipe: { teacher: { kind: 'use-lite', precision: 'f32', minAgreement: 0.97 } },
      options: {},
      clock: new StageClock(folder),
      emit: () => {},
      checkInterrupted: () => {},
      warn: (message: string) => said.push(message),
    } as unknown as RunContext;
    const data = {
      task: { unit: 'texts', teacher: { title: 'teacher', model } },
      teacherTitle: 'teacher',
      heads: [{ output: 'logits', labels: 'labels', target: { kind: 'class' } }],
      dataset: { labels: ['ham', 'spam'], splits: { validation: { size: 0, buckets: [] } } },
      teach: async () => {
        taught.push('taught');
        return { model, validation: null };
      },
    } as unknown as TaskData;
    try {
      return (await teacherStage.run(run, { data })).value.file;
    } finally {
      folder.close();
    }
  };

  const file = await stage();
  await stage();
  expect(taught).toHaveLength(1);
  const whole = readFileSync(file);
  const damaged = Buffer.from(whole);
  for (let i = 1; i <= 5; i++) damaged[damaged.length - 8 * i] ^= 0x40;
  writeFileSync(file, damaged);
  await stage();
  expect(taught).toHaveLength(2);
  expect(said).toEqual([
    'teacher/model.onnx is damaged: it is not as it was written; the teacher is made ready again',
  ]);
  expect(readFileSync(file)).toEqual(whole);
  rmSync(file);
  await stage();
  expect(said[1]).toMatch(/is missing; the teacher is made ready again/);
});

it('int8 that is no faster than float32 on this machine does not label, and later runs choose alike', async () => {
  const split = {
    name: 'validation',
    size: 20,
    buckets: [{ size: 20, length: 2 }],
    readBatch: (_bucket, indices, rows) =>
      tokenBatch({
        rows,
        length: 2,
        filled: indices.length,
        ids: BigInt64Array.from({ length: 2 * rows }, (_, i) => BigInt(i % 7)),
        mask: new BigInt64Array(2 * rows).fill(1n),
        labels: Int32Array.from({ length: rows }, (_, row) => row % 2),
        keys: new Uint8Array(16 * indices.length),
        ordinals: Uint32Array.from(indices),
      }),
    example: () => ({ text: '' }),
    close() {},
  } satisfies Split;
  const logs: string[] = [];
  const chosen = async (name: string, precision: 'auto' | 'int8', model = classifier()) => {
    const folder = new RunFolder(join(path, name), 'name: a\n', { recipeFolder: '/', storeFolder: '/' });
    const run = {
      folder,
      engine: createNodeEngine({ threads: 1 }),
      recipe: { seed: 1, teacher: { kind: 'use-lite', precision, minAgreement: 0.5 } },
      options: {},
      store: { folder: join(path, 'store') },
      clock: new StageClock(folder),
      emit: (event: { type: string; message: string }) => event.type === 'log' && logs.push(event.message),
      checkInterrupted: () => {},
      warn: () => {},
    } as unknown as RunContext;
    const data = {
      task: { unit: 'texts', teacher: { title: 'teacher', model }, preprocessing: 'p' },
      teacherTitle: 'teacher',
      heads: [{ output: 'logits', labels: 'labels', target: { kind: 'class' } }],
      dataset: { labels: ['ham', 'spam'], splits: { train: split, validation: split } },
      teach: async () => ({ model, validation: null }),
    } as unknown as TaskData;
    try {
      const { value, summary } = await teacherStage.run(run, { data });
      return { precision: value.precision, speedup: value.int8Speedup, summary };
    } finally {
      folder.close();
    }
  };

  const first = await chosen('first', 'auto');
  expect(first.precision).toBe((first.speedup as number) > 1 ? 'int8' : 'f32');
  const [kept] = readdirSync(join(path, 'store', 'teachers')) as [string];
  const say = (speedup: number) =>
    writeFileSync(join(path, 'store', 'teachers', kept), JSON.stringify({ machine: 'this', speedup }));
  say(0.8);
  expect(await chosen('slower', 'auto')).toMatchObject({
    precision: 'f32',
    summary: expect.stringMatching(/agrees on 100.0 % at 0.80 times the speed; f32 labels/),
  });
  expect(logs.at(-1)).toBe(
    'int8 labels 0.80 times as fast as float32 on this machine: float32 labels (`precision: int8` asks for int8 all the same)',
  );
  say(2.5);
  expect(await chosen('faster', 'auto')).toMatchObject({ precision: 'int8', speedup: 2.5 });
  // What a run has chosen, it keeps.
  say(0.8);
  expect(await chosen('faster', 'auto')).toMatchObject({ precision: 'int8', speedup: 2.5 });
  expect(await chosen('asked', 'int8')).toMatchObject({ precision: 'int8', speedup: undefined });
  // A file that came in int8 is not called float32, nor quantised once more.
  const came = await chosen('came', 'auto', quantizeDynamic(classifier()));
  expect(came.summary).toBe('right on 50.0 % of 20 validation samples; labels as it came, quantised');
  expect(came.speedup).toBeUndefined();
});
