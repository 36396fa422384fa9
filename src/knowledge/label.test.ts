import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { type LabelOptions, type LabelPlan, labelSplit, planLabels } from './label.ts';
import { KnowledgeStore } from './store.ts';
import { answer, type FakeTeacher, fakeSplit, fakeTeacher, keysOf, range } from './testing/fake-teacher.ts';

let folder: string;
let store: KnowledgeStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-label-'));
  store = await KnowledgeStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function label(teacher: FakeTeacher, samples: number[], options: Partial<LabelOptions> = {}) {
  return labelSplit({
    teacher,
    taps: ['logits'],
    split: fakeSplit(samples),
    store,
    batchSize: 8,
    ...options,
  });
}

async function expectLabels(samples: number[], tap = 'logits', dims = 3): Promise<void> {
  const teacher = fakeTeacher();
  const { title, hash, preprocessing } = teacher;
  const space = await store.space({
    title,
    teacher: hash,
    tap,
    preprocessing,
    dims: [dims],
    encoding: 'float16',
  });
  const into = new Float32Array(samples.length * dims);
  space.read(keysOf(samples), into);
  samples.forEach((sample, i) => {
    expect([...into.subarray(i * dims, (i + 1) * dims)]).toEqual([...answer(sample, dims)]);
  });
}

describe('labelSplit', () => {
  it('shares few samples among the batches that a teacher answers at once', async () => {
    const teacher: FakeTeacher = Object.assign(fakeTeacher(), { batchesAtOnce: 2 });
    // All of the bucket of length 4: as one batch of 6 they would be answered by one thread.
    const few = [0, 2, 4, 6, 8, 10];
    await label(teacher, few);
    expect(teacher.filled).toEqual([3, 3]);
    await expectLabels(few);
  });

  it('labels every sample once, in full batches, and tells what it will do first', async () => {
    const teacher = fakeTeacher();
    const plans: (LabelPlan & { asked: number })[] = [];
    const done: number[] = [];
    const result = await label(teacher, range(100), {
      onPlan: (plan) => plans.push({ ...plan, asked: teacher.asked.size }),
      onProgress: (progress) => done.push(progress.done / progress.total),
    });
    expect(plans).toEqual([
      {
        samples: 100,
        missing: 100,
        missingOf: new Map([['logits', 100]]),
        bytes: expect.any(Number),
        asked: 0,
      },
    ]);
    expect(result).toMatchObject({ labelled: 100, reused: 0, teacherCalls: 100 });
    expect(result.secondsInTeacher).toBeLessThanOrEqual(result.seconds);
    expect(teacher.filled).toEqual([...Array(6).fill(8), ...Array(6).fill(8), 2, 2]);
    expect([...teacher.asked.values()].every((times) => times === 1)).toBe(true);
    expect(done.at(-1)).toBe(1);
    await expectLabels(range(100));
  });

  it('asks about nothing a second time, and fills batches with what is missing', async () => {
    await label(
      fakeTeacher(),
      range(100).filter((sample) => sample % 10 !== 3),
    );
    const teacher = fakeTeacher();
    const result = await label(teacher, range(100));
    expect(result).toMatchObject({ labelled: 10, reused: 90, teacherCalls: 10 });
    expect(teacher.filled).toEqual([8, 2]);
    const idle = fakeTeacher();
    expect(await label(idle, range(100))).toMatchObject({ labelled: 0, reused: 100, teacherCalls: 0 });
    expect(idle.asked.size).toBe(0);
    await expectLabels(range(100));
  });

  it('asks another teacher anew', async () => {
    await label(fakeTeacher(), range(20));
    const other = fakeTeacher({ hash: 'def456' });
    expect(await label(other, range(20))).toMatchObject({ labelled: 20 });
  });

  it('labels several taps at once, and only where one of them is missing', async () => {
    const taps = { logits: 3, hidden: 300 };
    await label(fakeTeacher({ taps }), range(30));
    const teacher = fakeTeacher({ taps });
    expect(await label(teacher, range(50), { taps: ['logits', 'hidden'] })).toMatchObject({ labelled: 50 });
    expect(await label(teacher, range(50), { taps: ['hidden'] })).toMatchObject({ labelled: 0 });
    await expectLabels(range(50));
    await expectLabels(range(50), 'hidden', 300);
  });

  it('keeps an answer that is there as it is, also where it asks about the sample for another tap', async () => {
    const taps = { logits: 3, hidden: 4 };
    const { title, hash, preprocessing } = fakeTeacher({ taps });
    const space = await store.space({
      title,
      teacher: hash,
      tap: 'logits',
      preprocessing,
      dims: [3],
      encoding: 'float32',
    });
    await space.put(keysOf([7]), Float32Array.of(0.1, 0.2, 0.3));
    const encoding = new Map([
      ['logits', 'float32'],
      ['hidden', 'float16'],
    ] as const);
    const plans: LabelPlan[] = [];
    await label(fakeTeacher({ taps }), range(10), {
      taps: ['logits', 'hidden'],
      encoding,
      onPlan: (plan) => plans.push(plan),
    });
    expect(plans[0]?.missingOf).toEqual(
      new Map([
        ['logits', 9],
        ['hidden', 10],
      ]),
    );
    const kept = new Float32Array(6);
    space.read(keysOf([7, 8]), kept);
    expect([...kept]).toEqual([...Float32Array.of(0.1, 0.2, 0.3), ...answer(8, 3)]);
    await expectLabels(range(10), 'hidden', 4);
  });

  it('asks once about a sample that is there many times', async () => {
    const teacher = fakeTeacher();
    const samples = [...range(20), ...range(20), 1, 1, 1];
    expect(await label(teacher, samples)).toMatchObject({
      labelled: 20,
      reused: 0,
      repeated: 23,
      teacherCalls: 20,
    });
    expect([...teacher.asked.values()].every((times) => times === 1)).toBe(true);
    // More of them than are kept back before the store has them: what this run put there was not there before.
    const many = [...range(3000), ...range(3000)];
    expect(await label(fakeTeacher(), many)).toMatchObject({ labelled: 2980, reused: 40, repeated: 2980 });
  });

  it('stops when told to, and keeps what was answered', async () => {
    const controller = new AbortController();
    const teacher = fakeTeacher({
      before: () => {
        if (teacher.asked.size === 40) controller.abort();
      },
    });
    await expect(label(teacher, range(100), { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(teacher.asked.size).toBe(48);
    const next = fakeTeacher();
    expect(await label(next, range(100))).toMatchObject({ labelled: 52, reused: 48 });
    await expect(label(next, range(100), { signal: controller.signal })).rejects.toThrow();
  });

  it('keeps what was answered when the teacher fails', async () => {
    const failure = new LimbeckError('teacher.not-finite', 'NaN');
    const teacher = fakeTeacher({
      before: (batch) => {
        if (batch.ordinals.includes(51)) throw failure;
      },
    });
    await expect(label(teacher, range(100))).rejects.toBe(failure);
    expect(
      await planLabels({ teacher, taps: ['logits'], split: fakeSplit(range(100)), store }),
    ).toMatchObject({ samples: 100, missing: 100 - teacher.asked.size });
    expect(teacher.asked.size).toBeGreaterThan(0);
  });

  it('names the taps that there are', async () => {
    await expect(label(fakeTeacher(), range(2), { taps: ['hidden'] })).rejects.toMatchObject({
      code: 'teacher.tap',
      where: 'its taps: logits',
    });
  });

  it('does nothing for an empty split', async () => {
    expect(await label(fakeTeacher(), [])).toMatchObject({ labelled: 0, reused: 0 });
  });
});
