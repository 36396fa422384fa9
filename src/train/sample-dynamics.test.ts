import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { batchOrder } from '../data/batches/batch-order.ts';
import { EasiestFirst } from '../data/batches/curriculum.ts';
import { curriculumOrder } from '../data/batches/curriculum-order.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { ObjectiveInputs } from '../objectives/objective.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { BatchSource } from './batch-source.ts';
import { observeAnswers } from './observe-answers.ts';
import { SampleDynamics } from './sample-dynamics.ts';
import { BATCH, bitsOf, toyBatches, toyCheckpoints, toyTraining } from './testing/toy-training.ts';
import { trainStudent } from './training-loop.ts';
import { variabilityWeights, weighedByVariability } from './variability-weights.ts';

describe('observeAnswers', () => {
  it('tells the probability of the label, or of the teacher’s class, and whether it is the highest', async () => {
    const g = new GraphBuilder();
    const logits = g.input('logits', 'float32', [4, 2]);
    const inputs = {
      student: () => logits,
      has: () => false,
      input: () => g.input('labels', 'int32', [4]),
      knowledge: () => g.input('knowledge/logits', 'float32', [4, 2]),
    } as unknown as ObjectiveInputs;
    for (const [name, value] of observeAnswers(g, inputs, { teacher: true })) g.output(value, name);
    const session = await createNodeEngine().load(writeModel(g.build()));
    // Logits (ln 3, 0) are probabilities 3/4 and 1/4.
    const three = Math.log(3);
    const found = await session.run({
      logits: float32([three, 0, three, 0, three, 0, three, 0], [4, 2]),
      labels: tensor('int32', [4], Int32Array.from([0, 1, -1, -1])),
      'knowledge/logits': float32([0, 9, 9, 0, 5, 1, 1, 5], [4, 2]),
    });
    await session.release();
    [0.75, 0.25, 0.75, 0.25].forEach((value, i) => {
      expect(found.confidence.data[i]).toBeCloseTo(value, 6);
    });
    expect([...(found.correct.data as Float32Array)]).toEqual([1, 0, 1, 0]);
  });
});

/** Tells a control of a batch: ordinal, confidence and correctness of each row. */
function look(dynamics: SampleDynamics, step: number, rows: readonly [number, number, number][]): void {
  const place = { step, totalSteps: 100, epoch: Math.floor(step / 2), learningRate: 0, stage: 'training' };
  const batch = { variant: 'x', feeds: {}, rows: rows.length, ordinals: Uint32Array.from(rows, ([o]) => o) };
  const confidence = Float32Array.from(rows, ([, value]) => value);
  const correct = Float32Array.from(rows, ([, , value]) => value);
  dynamics.afterStep({ place, batch, rows: { confidence, correct } });
}

describe('SampleDynamics', () => {
  it('keeps mean, deviation and correctness of every sample', () => {
    const dynamics = new SampleDynamics({ samples: 3, stepsPerEpoch: 2, frozen: false });
    look(dynamics, 0, [
      [0, 0.2, 0],
      [2, 0.5, 1],
    ]);
    look(dynamics, 2, [[0, 0.8, 1]]);
    look(dynamics, 4, [[0, 0.5, 1]]);
    const { confidence, variability, correctness, seen } = dynamics.table();
    expect(confidence[0]).toBeCloseTo(0.5, 6);
    // sqrt((0.09 + 0.09 + 0) / 3)
    expect(variability[0]).toBeCloseTo(Math.sqrt(0.06), 6);
    expect(correctness?.[0]).toBeCloseTo(2 / 3, 6);
    expect([...seen]).toEqual([3, 0, 1]);
    expect([confidence[1], variability[2]]).toEqual([0, 0]);
    expect(dynamics.metrics()).toEqual({
      'dynamics/confidence': expect.closeTo(0.5, 6),
      'dynamics/variability': expect.closeTo(Math.sqrt(0.06) / 2, 6),
    });
  });

  it('takes the views of an image for one sample, and passes over what was added', () => {
    const dynamics = new SampleDynamics({ samples: 2, stepsPerEpoch: 2, limit: 6, frozen: false });
    look(dynamics, 0, [
      [1, 0.2, 0],
      [3, 0.4, 0],
      [5, 0.6, 0],
      [6, 0.9, 1],
    ]);
    expect([...dynamics.table().seen]).toEqual([0, 3]);
    expect(dynamics.table().confidence[1]).toBeCloseTo(0.4, 6);
  });

  it('keeps what was known when the epoch began', () => {
    const dynamics = new SampleDynamics({ samples: 1, stepsPerEpoch: 2, frozen: true });
    expect(dynamics.atEpoch(0)).toBeNull();
    look(dynamics, 0, [[0, 0.2, 0]]);
    look(dynamics, 1, [[0, 0.4, 0]]);
    look(dynamics, 2, [[0, 0.9, 0]]);
    const resumed = new SampleDynamics({ samples: 1, stepsPerEpoch: 2, frozen: true });
    resumed.restore(dynamics.save());
    for (const one of [dynamics, resumed]) {
      expect(one.atEpoch(1)?.confidence[0]).toBeCloseTo(0.3, 6);
      expect(() => one.atEpoch(2)).toThrow(/not of 2/);
    }
    expect(resumed.table()).toEqual(dynamics.table());
  });
});

describe('variabilityWeights', () => {
  it('have the mean 1, and half for what never varied', () => {
    const weights = variabilityWeights({ variability: Float32Array.from([0, 0.1, 0.2]) });
    [0.5, 1, 1.5].forEach((value, i) => {
      expect(weights[i]).toBeCloseTo(value, 6);
    });
    expect([...variabilityWeights({ variability: new Float32Array(2) })]).toEqual([1, 1]);
  });
});

/** The toy task with a set of 128 samples that is the same in every epoch, in the order that is given. */
function toySamples(orderOf: typeof batchOrder): BatchSource {
  const toy = toyBatches();
  const samples = Array.from({ length: 8 }, (_, index) => toy.batch({ epoch: 0, index }));
  const order = orderOf({ buckets: [{ size: 8 }] }, 1, 5);
  return {
    batchesPerEpoch: 8,
    batch({ epoch, index }) {
      const [place] = order.batch(epoch, index).indices;
      const ordinals = Uint32Array.from({ length: BATCH }, (_, row) => BATCH * place + row);
      return { ...samples[place], ordinals };
    },
  };
}

describe('a training that follows its samples, orders and weighs them', () => {
  function followed(overrides: Parameters<typeof toyTraining>[0] = {}) {
    const samples = 8 * BATCH;
    const dynamics = new SampleDynamics({ samples, stepsPerEpoch: 8, frozen: true });
    const batches = toySamples((split, size, seed) =>
      curriculumOrder(split, size, seed, (epoch) => {
        const known = dynamics.atEpoch(epoch);
        if (!known || epoch > 3) return null;
        const byBatch = Float32Array.from({ length: 8 }, (_, i) => 1 - known.confidence[BATCH * i]);
        return new EasiestFirst(split, [byBatch]).first(2 + epoch);
      }),
    );
    const training = toyTraining({
      batches: weighedByVariability(batches, dynamics, { samples }),
      controls: [dynamics],
      observe: (g, inputs) => observeAnswers(g, inputs, { teacher: true }),
      ...overrides,
    });
    return { dynamics, training };
  }

  it('sees the easy ones more often at first, and is surer of what it sees', async () => {
    const { dynamics, training } = followed();
    const { metrics } = await trainStudent(training);
    const { seen } = dynamics.table();
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(48 * BATCH);
    expect(Math.max(...seen)).toBeGreaterThan(Math.min(...seen));
    const confidences = metrics.map((row) => row['dynamics/confidence'] as number);
    expect(confidences.at(-1)).toBeGreaterThan(confidences[0] as number);
  });

  it.each([13, 24, 30])('killed at step %i it ends in the same bits', async (killed) => {
    const folder = mkdtempSync(join(tmpdir(), 'limbeck-dynamics-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const whole = followed();
    const parameters = bitsOf((await trainStudent(whole.training)).parameters);
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    const stop = new AbortController();
    const onProgress = (done: number) => done === killed && stop.abort();
    await expect(
      trainStudent(followed({ checkpoints, signal: stop.signal, onProgress }).training),
    ).rejects.toMatchObject({ code: 'train.interrupted' });
    const resumed = followed({ checkpoints });
    expect(bitsOf((await trainStudent(resumed.training)).parameters)).toBe(parameters);
    expect(resumed.dynamics.table()).toEqual(whole.dynamics.table());
  });
});
