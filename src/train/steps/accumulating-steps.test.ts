import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { kdTerm } from '../../objectives/kd-logits.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { uncertaintyWeights } from '../../weighting/uncertainty.ts';
import type { BatchSource } from '../batch-source.ts';
import { observeAnswers } from '../observe-answers.ts';
import { sgd } from '../sgd.ts';
import type { StepOutcome } from '../step-control.ts';
import { BATCH, bitsOf, toyBatches, toyCheckpoints, toyTraining } from '../testing/toy-training.ts';
import { type TrainingOptions, trainStudent } from '../training-loop.ts';
import { partFeeds } from './batch-parts.ts';

/** The toy task, with labels in a few rows only and the last rows filling the batch: parts count very different things. */
function uneven(): BatchSource {
  const { batch, batchesPerEpoch } = toyBatches();
  return {
    batchesPerEpoch,
    batch(place) {
      const made = batch(place);
      const labels = (made.feeds.labels as Tensor).data as Int32Array;
      const weights = (made.feeds.row_weights as Tensor).data as Float32Array;
      labels.forEach((_, row) => {
        if (row % 4 !== 0 && row > 1) labels[row] = -1;
        if (row > BATCH - 4) weights[row] = 0;
      });
      return { ...made, rows: BATCH - 3, ordinals: new Uint32Array(BATCH) };
    },
  };
}

/** A loss of the batch as a whole, which parts count by their rows. */
const whole: ObjectiveTerm = {
  name: 'whole',
  weight: 0.01,
  build: (g, inputs) => g.reduceSumSquare(inputs.student('embedding/weight'), { keepDims: false }),
};

const training = (overrides: Partial<TrainingOptions> = {}) =>
  toyTraining({
    batches: uneven(),
    optimizer: sgd({ momentum: 0.9, nesterov: false, weightDecay: 0.01 }),
    terms: [kdTerm({ weight: 0.5, temperature: 2 }), labelsTerm({ weight: 1 }), whole],
    ...overrides,
  });

function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4);
}

/** A training, with what its steps told. */
async function steps(overrides: Partial<TrainingOptions> = {}) {
  const told: { values: StepOutcome['values']; rows: StepOutcome['rows'] }[] = [];
  const result = await trainStudent(
    training({
      observe: (g, inputs) => observeAnswers(g, inputs, { teacher: true }),
      controls: [{ name: 'told', afterStep: ({ values, rows }) => void told.push({ values, rows }) }],
      ...overrides,
    }),
  );
  return { ...result, told };
}

it.each([2, 4, 8])('makes the same steps in %d parts as in one', async (accumulate) => {
  const schedule = { peak: 0.05, totalSteps: 12, warmup: 0, decay: 'constant' } as const;
  const [fused, parts] = [await steps({ schedule }), await steps({ schedule, accumulate })];
  expect(parts.told).toHaveLength(fused.told.length);
  fused.told.forEach(({ values, rows }, step) => {
    const own = parts.told[step]!;
    expect(Object.keys(own.values).sort()).toEqual(Object.keys(values).sort());
    for (const [name, value] of Object.entries(values)) expect(own.values[name]).toBeCloseTo(value, 4);
    for (const [name, row] of Object.entries(rows)) {
      expectClose(own.rows[name]!, row);
    }
  });
  for (const [name, values] of fused.parameters) expectClose(parts.parameters.get(name)!, values);
});

it('weighs terms by trained variances as one step does', async () => {
  const options = {
    weighting: uncertaintyWeights(),
    terms: [kdTerm({ weight: 0.5, temperature: 2 }), labelsTerm({ weight: 1 })],
    schedule: { peak: 0.05, totalSteps: 8, warmup: 0, decay: 'constant' } as const,
  };
  const [fused, parts] = [await steps(options), await steps({ ...options, accumulate: 4 })];
  for (const [name, value] of Object.entries(fused.told.at(-1)!.values))
    expect(parts.told.at(-1)!.values[name]).toBeCloseTo(value, 4);
  expect(fused.told.at(-1)!.values['weight/kd']).not.toBeCloseTo(1, 3);
});

it('goes on in the same bits, and from a checkpoint of steps that were made in one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-accumulate-'));
  try {
    const schedule = { peak: 0.05, totalSteps: 12, warmup: 0, decay: 'constant' } as const;
    const stopped = async (accumulate: number, name: string, then: number) => {
      const checkpoints = { folder: toyCheckpoints(join(folder, name)), everySeconds: 1e9 };
      const stop = new AbortController();
      const onProgress = (done: number) => done === 5 && stop.abort();
      const first = trainStudent(
        training({ schedule, accumulate, checkpoints, signal: stop.signal, onProgress }),
      );
      await expect(first).rejects.toMatchObject({ code: 'train.interrupted' });
      return trainStudent(training({ schedule, accumulate: then, checkpoints }));
    };
    const straight = await trainStudent(training({ schedule, accumulate: 4 }));
    expect(bitsOf((await stopped(4, 'parts', 4)).parameters)).toBe(bitsOf(straight.parameters));
    const mixed = await stopped(1, 'mixed', 4);
    for (const [name, values] of straight.parameters) expectClose(mixed.parameters.get(name)!, values);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('refuses batches that cannot be split evenly', async () => {
  await expect(trainStudent(training({ accumulate: 3 }))).rejects.toMatchObject({ code: 'train.accumulate' });
});

it('takes a part of what has the batch for its first axis, and all of the rest', () => {
  const feeds = {
    x: float32([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]),
    w: float32([1, 2], [2]),
    y: float32([9], []),
  };
  const inputs = [
    { name: 'x', type: 'float32', dims: [2, 2] },
    { name: 'w', type: 'float32', dims: [2] },
  ] as const;
  expect(partFeeds(feeds, inputs, 1)).toEqual({ x: float32([5, 6, 7, 8], [2, 2]), w: feeds.w });
});
