import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LimbeckError } from '../errors.ts';
import { crossEntropy } from '../metrics/cross-entropy.ts';
import { labelsTerm } from '../objectives/cross-entropy.ts';
import { kdTerm } from '../objectives/kd-logits.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { BatchSource } from './batch-source.ts';
import { compileStep } from './compile-step.ts';
import { BATCH, bitsOf, toyTraining as options, toyBatches, toyCheckpoints } from './testing/toy-training.ts';
import { trainStudent } from './training-loop.ts';

it('computes nothing twice in a step', () => {
  const { graph } = compileStep({ ...options(), sizes: { batch: BATCH, sequence: 8 } });
  expect(mergeDuplicates(graph).nodes).toHaveLength(graph.nodes.length);
});

describe('trainStudent', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'limbeck-train-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('learns, and tells every term with its gradient norm', async () => {
    const { metrics } = await trainStudent(options());
    expect(metrics).toHaveLength(6);
    const losses = metrics.map((row) => row.loss as number);
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]);
    for (const row of metrics) {
      expect(row.loss).toBeCloseTo(
        0.9 * (row['loss/kd'] as number) + 0.1 * (row['loss/labels'] as number),
        2,
      );
      expect(row['grad_norm/kd']).toBeGreaterThan(row['grad_norm/labels'] as number);
    }
  });

  it('ends in the same bits when it was stopped and went on', async () => {
    const whole = await trainStudent(options());
    const stop = new AbortController();
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    const interrupted = trainStudent(
      options({ checkpoints, signal: stop.signal, onProgress: (done) => done === 21 && stop.abort() }),
    );
    await expect(interrupted).rejects.toMatchObject({ code: 'train.interrupted' });
    const resumed = await trainStudent(options({ checkpoints }));
    expect(resumed.steps).toBe(48);
    expect(bitsOf(resumed.parameters)).toBe(bitsOf(whole.parameters));
    expect(resumed.metrics.map((row) => row.loss)).toEqual(whole.metrics.map((row) => row.loss));
    // Called once more, it has nothing left to do.
    const again = await trainStudent(
      options({ checkpoints, batches: { batchesPerEpoch: 8, batch: () => expect.fail() } }),
    );
    expect(bitsOf(again.parameters)).toBe(bitsOf(whole.parameters));
  });

  it.each([
    ['the teacher alone', kdTerm({ weight: 1, temperature: 2 })],
    ['the labels alone', labelsTerm({ weight: 1 })],
  ])('learns from %s, whatever else a batch brings', async (_, term) => {
    const { metrics } = await trainStudent(options({ terms: [term] }));
    const losses = metrics.map((row) => row.loss as number);
    expect(losses.at(-1)).toBeLessThan(losses[0]);
  });

  it('goes on from the checkpoint before a damaged one', async () => {
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 0 };
    await trainStudent(
      options({ checkpoints, schedule: { peak: 0.01, totalSteps: 20, warmup: 0, decay: 'constant' } }),
    );
    const newest = join(folder, 'step-20.safetensors');
    writeFileSync(newest, readFileSync(newest).subarray(0, 2000));
    const warnings: string[] = [];
    const result = await trainStudent(
      options({
        checkpoints,
        schedule: { peak: 0.01, totalSteps: 21, warmup: 0, decay: 'constant' },
        onWarning: (message) => warnings.push(message),
      }),
    );
    expect(result.steps).toBe(21);
    expect(warnings.join()).toMatch(/step-20.safetensors/);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('stops early, and keeps the best parameters', async () => {
    const losses = [3, 2, 2.5, 2.6, 2.7, 1];
    const seen: string[] = [];
    const result = await trainStudent(
      options({
        selection: { metric: crossEntropy(), patience: 3 },
        evaluate: async (parameters) => {
          seen.push(bitsOf(parameters));
          return { accuracy: 0, macroF1: 0, loss: losses[seen.length - 1] };
        },
      }),
    );
    expect(result.stoppedEarly).toBe(true);
    expect(seen).toHaveLength(5);
    expect(result.best.step).toBe(16);
    expect(bitsOf(result.parameters)).toBe(seen[1]);
  });

  it('asks for batches asynchronously, and shows the student as it is by then', async () => {
    const { batch, batchesPerEpoch } = toyBatches();
    const seen: string[] = [];
    const watching: BatchSource = {
      batchesPerEpoch,
      async batch(place, { student, parameters }) {
        expect([...parameters().keys()].sort()).toEqual([...student.parameters].sort());
        seen.push(bitsOf(parameters()));
        await new Promise((done) => setImmediate(done));
        return batch(place);
      },
    };
    const schedule = { peak: 0.01, totalSteps: 3, warmup: 0, decay: 'constant' } as const;
    const { parameters } = await trainStudent(options({ batches: watching, schedule }));
    // Before each of the steps, and once for the probe of the terms, which sees the student as it began.
    expect(seen).toHaveLength(4);
    expect(seen[3]).toBe(seen[0]);
    expect(new Set(seen).size).toBe(3);
    const plain = await trainStudent(options({ schedule }));
    expect(bitsOf(parameters)).toBe(bitsOf(plain.parameters));
  });

  it('names the step at which a loss is no number', async () => {
    const broken: BatchSource = {
      batchesPerEpoch: 8,
      batch({ epoch, index }) {
        const batch = toyBatches().batch({ epoch, index });
        const knowledge = batch.feeds['knowledge/logits'] as Tensor;
        if (index === 3) (knowledge.data as Float32Array)[0] = Number.NaN;
        return batch;
      },
    };
    await expect(trainStudent(options({ batches: broken }))).rejects.toMatchObject({
      code: 'train.not-finite',
      where: 'training step 3',
    });
  });

  it.each([0, 5, 16, 21])('keeps the steps before batch %i that cannot be read', async (fails) => {
    const whole = await trainStudent(options());
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    const { batch, batchesPerEpoch } = toyBatches();
    const at = (epoch: number, index: number) => epoch * batchesPerEpoch + index;
    const failing: BatchSource = {
      batchesPerEpoch,
      batch({ epoch, index }) {
        if (at(epoch, index) === fails) throw new Error('unreadable');
        return batch({ epoch, index });
      },
    };
    await expect(trainStudent(options({ checkpoints, batches: failing }))).rejects.toThrow('unreadable');
    const asked: number[] = [];
    const counted: BatchSource = {
      batchesPerEpoch,
      batch({ epoch, index }) {
        asked.push(at(epoch, index));
        return batch({ epoch, index });
      },
    };
    const resumed = await trainStudent(options({ checkpoints, batches: counted }));
    expect(asked[0]).toBe(fails);
    expect(bitsOf(resumed.parameters)).toBe(bitsOf(whole.parameters));
    expect(resumed.metrics.map((row) => row.loss)).toEqual(whole.metrics.map((row) => row.loss));
  });

  it('fails at the same step again when the parameters are no numbers any more', async () => {
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    // A learning rate so large that a parameter overflows, some steps before the loss tells it.
    const schedule = { peak: 3e38, totalSteps: 48, warmup: 0.5, decay: 'constant' } as const;
    const diverge = () =>
      trainStudent(options({ checkpoints, schedule })).then(
        () => expect.fail('it went on'),
        (error: unknown) => error as LimbeckError,
      );
    const first = await diverge();
    expect(first.code).toBe('train.not-finite');
    const saved = checkpoints.folder.load(() => {});
    expect(first.where).toBe(`training step ${saved?.step}`);
    expect(saved?.step).toBeGreaterThan(0);
    expect(await diverge()).toMatchObject({ code: first.code, where: first.where, message: first.message });
  });

  it('tells the failure of a step, not that of the checkpoint after it', async () => {
    const checkpoints = { folder: toyCheckpoints(join(folder, 'file')), everySeconds: 1e9 };
    writeFileSync(join(folder, 'file'), '');
    const failing: BatchSource = {
      batchesPerEpoch: 8,
      batch({ epoch, index }) {
        if (index === 2) throw new Error('unreadable');
        return toyBatches().batch({ epoch, index });
      },
    };
    checkpoints.folder.load = () => undefined;
    await expect(trainStudent(options({ checkpoints, batches: failing }))).rejects.toThrow('unreadable');
  });

  it('warns of a term whose gradient is next to nothing', async () => {
    const warnings: string[] = [];
    const terms = [kdTerm({ weight: 1e-5, temperature: 2 }), labelsTerm({ weight: 1 })];
    await trainStudent(options({ terms, onWarning: (message) => warnings.push(message) }));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/'kd' is inert/);
  });

  it('does not take the labels for inert where only one batch of many has any', async () => {
    const warnings: string[] = [];
    const { batch } = toyBatches();
    const few: BatchSource = {
      batchesPerEpoch: 60,
      batch({ epoch, index }) {
        const made = batch({ epoch, index });
        if (index !== 57) ((made.feeds.labels as Tensor).data as Int32Array).fill(-1);
        return made;
      },
    };
    const { metrics } = await trainStudent(
      options({
        batches: few,
        schedule: { peak: 0.01, totalSteps: 60, warmup: 0, decay: 'constant' },
        onWarning: (message) => warnings.push(message),
      }),
    );
    expect(metrics[0]?.['grad_norm/labels']).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });

  it('does not search for labels that no term asks for', async () => {
    const asked: number[] = [];
    const { batch } = toyBatches();
    const none: BatchSource = {
      batchesPerEpoch: 60,
      batch({ epoch, index }) {
        asked.push(index);
        const made = batch({ epoch, index });
        ((made.feeds.labels as Tensor).data as Int32Array).fill(-1);
        return made;
      },
    };
    const terms = [kdTerm({ weight: 1, temperature: 2 })];
    const schedule = { peak: 0.01, totalSteps: 2, warmup: 0, decay: 'constant' } as const;
    await trainStudent(options({ batches: none, terms, schedule }));
    expect(asked).toEqual([0, 1, 0]);
  });
});
