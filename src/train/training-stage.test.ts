import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crossEntropy } from '../metrics/cross-entropy.ts';
import { labelsTerm } from '../objectives/cross-entropy.ts';
import { kdTerm } from '../objectives/kd-logits.ts';
import { type ObjectiveTerm, weightedMean } from '../objectives/objective.ts';
import { bitsOf, CLASSES, toyCheckpoints, toyTraining } from './testing/toy-training.ts';
import { trainStudent } from './training-loop.ts';
import { TrainingProgress } from './training-progress.ts';
import { FIRST_STAGE, stageAfter, type TrainingStage } from './training-stage.ts';

const kd = kdTerm({ weight: 1, temperature: 2 });
const labels = labelsTerm({ weight: 0.5 });

/** Logits brought to the teacher's by a scale and a shift of its own: a matrix and two vectors that do not ship. */
const projected: ObjectiveTerm = {
  name: 'projected',
  weight: 0.1,
  build(g, inputs) {
    const matrix = inputs.parameter('matrix', [CLASSES, CLASSES], (random) =>
      Float32Array.from({ length: CLASSES ** 2 }, () => random.normal()),
    );
    const scale = inputs.parameter('scale', [CLASSES], () => new Float32Array(CLASSES).fill(1));
    const shift = inputs.parameter('shift', [CLASSES], () => new Float32Array(CLASSES));
    const mapped = g.add(g.mul(g.matMul(inputs.student('logits'), matrix), scale), shift);
    const difference = g.sub(mapped, inputs.knowledge('logits', [CLASSES]));
    const perRow = g.reduceMean(g.mul(difference, difference), { axes: [1], keepDims: false });
    return weightedMean(g, perRow, inputs.rowWeights());
  },
};

const stages: readonly TrainingStage[] = [
  { name: 'answers', terms: [kd], steps: 40, plateau: 2 },
  { name: 'layers', terms: [kd, projected], steps: 16 },
  { name: 'all', terms: [kd, projected, labels], steps: 8 },
];

function staged(overrides: Parameters<typeof toyTraining>[0] = {}) {
  return toyTraining({
    stages,
    selection: { metric: crossEntropy(), patience: 1 },
    ...overrides,
  });
}

/** An evaluation every 8 steps, the best after `step`: the first stage is on its plateau two later. */
function plateauAt(step: number) {
  let seen = 0;
  return async () => {
    seen += 8;
    return { accuracy: 0, macroF1: 0, loss: 1 + Math.abs(seen - step) };
  };
}

describe('stageAfter', () => {
  const at = (step: number, loss?: number) => ({
    step,
    metric: crossEntropy(),
    ...(loss === undefined ? {} : { evaluation: { accuracy: 0, macroF1: 0, loss } }),
  });

  it('goes on after its steps, and stays in the last one', () => {
    const state = { index: 1, began: 30, since: 0 };
    expect(stageAfter(state, stages, at(45))).toEqual(state);
    expect(stageAfter(state, stages, at(46))).toEqual({ index: 2, began: 46, since: 0 });
    expect(stageAfter({ index: 2, began: 46, since: 0 }, stages, at(400)).index).toBe(2);
  });

  it('goes on after so many evaluations without a better one', () => {
    const losses = [3, 2, 2.5, 2];
    const indices: number[] = [];
    let state = FIRST_STAGE;
    losses.forEach((loss, i) => {
      state = stageAfter(state, stages, at(8 * (i + 1), loss));
      indices.push(state.index);
    });
    expect(indices).toEqual([0, 0, 0, 1]);
    expect(state.began).toBe(32);
  });
});

describe('a training in stages', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'limbeck-stages-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('ends a stage at its plateau, trains what each one names, and lets only the last one end it early', async () => {
    const { metrics, steps, stoppedEarly } = await trainStudent(staged({ evaluate: plateauAt(16) }));
    expect(metrics.map(({ step, training_stage }) => `${step} ${training_stage}`)).toEqual([
      '8 answers',
      '16 answers',
      '24 answers',
      '32 answers',
      '40 layers',
      '48 layers',
    ]);
    expect(metrics.map((row) => 'loss/projected' in row)).toEqual([false, false, false, false, true, true]);
    expect([steps, stoppedEarly]).toEqual([48, false]);
  });

  it('counts patience from where the last stage began', async () => {
    const schedule = { peak: 0.01, totalSteps: 200, warmup: 0.1, decay: 'cosine' } as const;
    const { metrics, steps } = await trainStudent(staged({ schedule, evaluate: plateauAt(16) }));
    // 32 steps of the first, 16 of the second, and of the last an epoch without a better evaluation.
    expect(metrics.map(({ training_stage }) => training_stage).slice(4)).toEqual(['layers', 'layers', 'all']);
    expect(steps).toBe(56);
  });

  it('trains the parameters of a later stage from its beginning, and carries the others over', async () => {
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    const auxiliary = () => {
      const tensors = [...(checkpoints.folder.load(() => {})?.tensors ?? [])];
      return tensors.filter(([name]) => name.startsWith('auxiliary/'));
    };
    const until = (step: number) => {
      const stop = new AbortController();
      const onProgress = (done: number) => done === step && stop.abort();
      return trainStudent(
        staged({ checkpoints, evaluate: plateauAt(16), signal: stop.signal, onProgress }),
      ).catch((error) => expect(error.code).toBe('train.interrupted'));
    };
    await until(31);
    expect(auxiliary()).toEqual([]);
    const stop = new AbortController();
    await trainStudent(
      staged({
        checkpoints,
        // The evaluation at 32 is the next one of this part.
        evaluate: async () => ({ accuracy: 0, macroF1: 0, loss: 9 }),
        signal: stop.signal,
        onProgress: (done) => done === 33 && stop.abort(),
      }),
    ).catch((error) => expect(error.code).toBe('train.interrupted'));
    expect(auxiliary().map(([name]) => name)).toEqual(
      ['matrix', 'scale', 'shift'].map((name) => `auxiliary/${name}`),
    );
    for (const [name, { data }] of auxiliary()) {
      expect(
        (data as Float32Array).some((value) => value !== (name.endsWith('scale') ? 1 : 0)),
        name,
      ).toBe(true);
    }
  });

  it.each([
    [20, 0],
    [41, 1],
    [52, 2],
  ])('killed at step %i, in stage %i, it ends in the same bits', async (killed, stage) => {
    const schedule = { peak: 0.01, totalSteps: 56, warmup: 0.1, decay: 'cosine' } as const;
    // Like a measurement on real data, it depends on the parameters: here their first weights alone.
    const evaluate = async (parameters: ReadonlyMap<string, Float32Array>) => {
      const [first] = parameters.values() as Iterable<Float32Array>;
      return { accuracy: 0, macroF1: 0, loss: Math.round(50 * Math.abs(first[0])) };
    };
    const options = { schedule, evaluate, selection: { metric: crossEntropy() } };
    const whole = await trainStudent(staged(options));
    expect(new Set(whole.metrics.map(({ training_stage }) => training_stage)).size).toBe(3);
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    const stop = new AbortController();
    const onProgress = (done: number) => done === killed && stop.abort();
    await expect(
      trainStudent(staged({ ...options, checkpoints, signal: stop.signal, onProgress })),
    ).rejects.toMatchObject({ code: 'train.interrupted' });
    const progress = checkpoints.folder.load(() => {})?.progress ?? '';
    expect(new TrainingProgress(progress).state.stage?.index).toBe(stage);
    const resumed = await trainStudent(staged({ ...options, checkpoints }));
    expect(bitsOf(resumed.parameters)).toBe(bitsOf(whole.parameters));
    const told = ({ seconds: _, ...row }: Record<string, number | string>) => row;
    expect(resumed.metrics.map(told)).toEqual(whole.metrics.map(told));
  });
});
