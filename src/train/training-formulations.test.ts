import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { labelsTerm } from '../objectives/cross-entropy.ts';
import type { Formulations } from '../onnx/formulations.ts';
import { float32, tensor } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { stepConvolutions } from './calibration/calibrate.ts';
import { channelBlock } from './calibration/channel-block.ts';
import { CheckpointFolder } from './checkpoint.ts';
import { toyTraining } from './testing/toy-training.ts';
import { type TrainingOptions, trainStudent } from './training-loop.ts';

const [BATCH, SIZE, STEPS] = [4, 8, 6];
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function checkpointsIn(): NonNullable<TrainingOptions['checkpoints']> {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-formulations-'));
  folders.push(folder);
  const owner = { identity: { training: 'test' }, circumstances: {} };
  return { folder: new CheckpointFolder(folder, owner), everySeconds: 0 };
}

const student = buildClassifier(
  resnet,
  { width: 16, stages: 1, blocks: 1, bottleneck: false, zeroInit: false },
  { channels: 1, height: SIZE, width: SIZE, classes: 2, random: randomStream(1, 'student') },
);

function imageTraining(overrides: Partial<TrainingOptions>): TrainingOptions {
  const toy = toyTraining();
  return {
    ...toy,
    student,
    variants: { all: { batch: BATCH } },
    terms: [labelsTerm({ weight: 1 })],
    schedule: { ...toy.schedule, totalSteps: STEPS },
    batches: {
      batchesPerEpoch: STEPS,
      batch({ index }) {
        const random = randomStream(5, index);
        const pixels = Float32Array.from({ length: BATCH * SIZE ** 2 }, () => random.normal());
        return {
          variant: 'all',
          rows: BATCH,
          feeds: {
            pixel_values: float32(pixels, [BATCH, 1, SIZE, SIZE]),
            labels: tensor('int32', [BATCH], Int32Array.of(0, 1, 0, 1)),
            row_weights: float32([1, 1, 1, 1], [BATCH]),
          },
        };
      },
    },
    evaluate: async () => ({ accuracy: 0.5 }),
    ...overrides,
  };
}

async function blocked(): Promise<Formulations | undefined> {
  const block = await channelBlock(createNodeEngine());
  if (block === 0) return undefined;
  const keys = [...stepConvolutions({ student, sizes: { batch: BATCH } }).keys()];
  return { block, convolutions: Object.fromEntries(keys.map((key) => [key, 'blocked' as const])) };
}

const bitsOf = (parameters: ReadonlyMap<string, Float32Array>) =>
  [...parameters].map(([name, data]) => [name, Buffer.from(data.buffer).toString('hex')]);

test('a training that goes on keeps the formulations that it began with, and ends in the same bits', async () => {
  const formulations = await blocked();
  if (!formulations) return;
  let asked = 0;
  const formulate = async () => {
    asked++;
    return formulations;
  };
  const whole = await trainStudent(imageTraining({ formulate }));
  const plain = await trainStudent(imageTraining({}));
  expect(bitsOf(whole.parameters)).not.toEqual(bitsOf(plain.parameters));

  const checkpoints = checkpointsIn();
  const stop = new AbortController();
  const cut = imageTraining({
    formulate,
    checkpoints,
    signal: stop.signal,
    onProgress: (done) => {
      if (done === 3) stop.abort();
    },
  });
  await expect(trainStudent(cut)).rejects.toMatchObject({ code: 'train.interrupted' });
  const resumed = await trainStudent(
    imageTraining({
      checkpoints,
      formulate: async () => {
        throw new Error('it is asked once');
      },
    }),
  );
  expect(asked).toBe(2);
  expect(resumed.steps).toBe(STEPS);
  expect(bitsOf(resumed.parameters)).toEqual(bitsOf(whole.parameters));
});

test('on a machine with other blocks a training goes on without them, and says so', async () => {
  const formulations = await blocked();
  if (!formulations) return;
  const checkpoints = checkpointsIn();
  const stop = new AbortController();
  const cut = imageTraining({
    // As if it had been written elsewhere: half the channels in a block.
    formulate: async () => ({ ...formulations, block: formulations.block / 2, convolutions: {} }),
    checkpoints,
    signal: stop.signal,
    onProgress: (done) => {
      if (done === 2) stop.abort();
    },
  });
  await expect(trainStudent(cut)).rejects.toMatchObject({ code: 'train.interrupted' });
  const warnings: string[] = [];
  const resumed = await trainStudent(
    imageTraining({ checkpoints, onWarning: (message) => warnings.push(message) }),
  );
  expect(resumed.steps).toBe(STEPS);
  expect(warnings.join()).toContain('does not have the kernels');
});
