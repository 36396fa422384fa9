import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { labelSplit } from './label.ts';
import { KnowledgeStore } from './store.ts';
import { answer, fakeSplit, fakeTeacher, keysOf, range } from './testing/fake-teacher.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-processes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function labelInProcess(count: number, millisecondsPerBatch: number): ChildProcess {
  const script = join(import.meta.dirname, 'testing', 'label-process.ts');
  const tsx = import.meta.resolve('tsx');
  return spawn(process.execPath, ['--import', tsx, script, folder, `${count}`, `${millisecondsPerBatch}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function expectAllLabels(store: KnowledgeStore, count: number): Promise<void> {
  const { title, hash, preprocessing } = fakeTeacher();
  const space = await store.space({
    title,
    teacher: hash,
    tap: 'logits',
    preprocessing,
    dims: [3],
    encoding: 'float16',
  });
  const into = new Float32Array(count * 3);
  space.read(keysOf(range(count)), into);
  for (let i = 0; i < count; i++) expect([...into.subarray(i * 3, i * 3 + 3)]).toEqual([...answer(i, 3)]);
}

it('goes on after kill -9, and labels only what is missing', { timeout: 30_000 }, async () => {
  const count = 2000;
  const child = labelInProcess(count, 60);
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    seen = Number(line.split(' ')[1]);
    // By now it has committed at least once, and has more that waits.
    if (seen >= 700) break;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = await KnowledgeStore.open(folder);
  const teacher = fakeTeacher();
  const split = fakeSplit(range(count));
  const result = await labelSplit({ teacher, taps: ['logits'], split, store, batchSize: 16 });
  expect(result.reused).toBeGreaterThan(0);
  expect(result.reused).toBeLessThanOrEqual(seen + 64);
  expect(result.labelled).toBe(count - result.reused);
  expect(teacher.asked.size).toBe(result.labelled);
  await expectAllLabels(store, count);
  await store.close();
});

it('lets two processes label into one store at once', { timeout: 30_000 }, async () => {
  const count = 1500;
  const children = [labelInProcess(count, 1), labelInProcess(count, 2)];
  for (const child of children) child.stdout?.resume();
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  expect(codes).toEqual([0, 0]);
  const store = await KnowledgeStore.open(folder);
  await expectAllLabels(store, count);
  for await (const { damaged } of store.verify()) expect(damaged).toBe(0);
  await store.close();
});
