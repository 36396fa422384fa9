import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import { buildClassifierHead } from '../../students/classifier-head.ts';
import type { RunContext } from '../run-context.ts';
import { RunFolder } from '../run-folder.ts';
import { StageClock } from '../stage-clock.ts';
import type { TaskData } from '../tasks/task.ts';
import { teacherStage } from './teacher.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'limbeck-teacher-'));
});
afterEach(() => rmSync(path, { recursive: true }));

it('makes a damaged teacher again, instead of asking it about everything anew', async () => {
  const { graph: model } = buildClassifierHead({ width: 4, classes: 2 }, randomStream(1, 'teacher'));
  const taught: string[] = [];
  const said: string[] = [];
  const stage = async () => {
    const folder = new RunFolder(path, 'name: a\n', { recipeFolder: '/', storeFolder: '/' });
    const run = {
      folder,
      recipe: { teacher: { precision: 'f32', minAgreement: 0.97 } },
      options: {},
      clock: new StageClock(folder),
      emit: () => {},
      checkInterrupted: () => {},
      warn: (message: string) => said.push(message),
    } as unknown as RunContext;
    const data = {
      task: { unit: 'texts', teacher: { title: 'teacher', model } },
      teacherTitle: 'teacher',
      teach: async () => {
        taught.push('taught');
        return { model, validation: null };
      },
    } as unknown as TaskData;
    try {
      return (await teacherStage(run, data)).file;
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
