import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parameterTensors } from '../../train/step-graph.ts';
import { bitsOf, toyTraining } from '../../train/testing/toy-training.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { RunFolder } from '../folder/run-folder.ts';
import { finishedStudent } from '../stages/train.ts';
import { learntParameters, taskCheckpoints } from './train-task.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'limbeck-finished-'));
});
afterEach(() => rmSync(path, { recursive: true }));

it('exports the student of the last checkpoint, and no earlier one in its place', async () => {
  const folder = new RunFolder(path, 'name: a\n', { recipeFolder: '/', storeFolder: '/' });
  const said: string[] = [];
  const options = toyTraining({ schedule: { peak: 0.01, totalSteps: 12, warmup: 0, decay: 'constant' } });
  const run = {
    folder,
    recipe: { name: 'a', seed: 1, training: {}, export: { q4: false, fp16: false } },
    engine: options.engine,
    warn: (message: string) => said.push(message),
  } as unknown as RunContext;
  const data = { buildStudent: () => options.student, heads: [] } as unknown as TaskData;
  expect(() => finishedStudent(run, data)).toThrow(expect.objectContaining({ code: 'export.missing' }));

  const checkpoints = { folder: runCheckpoints(run, 'train'), everySeconds: 0 };
  const { parameters, steps } = await trainStudent({ ...options, checkpoints });
  folder.finish('train', { steps });
  const { student } = finishedStudent(run, data);
  const contents = [...parameterTensors(student)].map(
    ([name, { data }]) => [name, data as Float32Array] as const,
  );
  expect(bitsOf(new Map(contents))).toBe(
    bitsOf(new Map(contents.map(([name]) => [name, parameters.get(name) as Float32Array]))),
  );

  const newest = join(path, 'checkpoints', 'train', `step-${steps}.safetensors`);
  const bytes = readFileSync(newest);
  bytes[bytes.length - 10] ^= 0x10;
  writeFileSync(newest, bytes);
  expect(() => finishedStudent(run, data)).toThrow(
    expect.objectContaining({ code: 'export.missing', remedy: expect.stringContaining('limbeck distill') }),
  );
  expect(said.join()).toContain(`the one of step ${steps - 1} is tried`);
  folder.close();
});

it('takes no earlier checkpoint of a continual task for what the task left', async () => {
  const folder = new RunFolder(path, 'name: a\n', { recipeFolder: '/', storeFolder: '/' });
  const options = toyTraining({ schedule: { peak: 0.01, totalSteps: 5, warmup: 0, decay: 'constant' } });
  const run = {
    folder,
    recipe: { name: 'a', seed: 1, training: {} },
    engine: options.engine,
    warn: () => {},
  } as unknown as RunContext;
  const task = { method: 'ewc', task: 1 };
  const learnt = () => learntParameters(run, options.student, task);
  expect(learnt()).toBeUndefined();
  const checkpoints = { folder: taskCheckpoints(run, task.method, task.task), everySeconds: 0 };
  await trainStudent({ ...options, checkpoints });
  const whole = bitsOf(learnt()?.parameters ?? new Map());
  const newest = join(path, 'checkpoints', 'continual', 'ewc', 'task-2', 'step-5.safetensors');
  writeFileSync(newest, readFileSync(newest).subarray(0, -8));
  expect(learnt()).toBeUndefined();
  await trainStudent({ ...options, checkpoints });
  expect(bitsOf(learnt()?.parameters ?? new Map())).toBe(whole);
  folder.close();
});
