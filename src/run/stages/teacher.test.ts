import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
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
