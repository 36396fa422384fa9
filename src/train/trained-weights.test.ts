import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelsTerm } from '../objectives/cross-entropy.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { weightedMean } from '../objectives/objective.ts';
import { float32, tensor } from '../onnx/tensor.ts';
import { dynamicWeights } from '../weighting/dynamic.ts';
import { givenFactors } from '../weighting/gradient-norms.ts';
import { BalancedNorms } from './balanced-norms.ts';
import { bitsOf, CLASSES, toyBatches, toyCheckpoints, toyTraining } from './testing/toy-training.ts';
import { TrainedWeights, type TrainedWeightsOptions } from './trained-weights.ts';
import { type TrainingOptions, trainStudent } from './training-loop.ts';

const validation = {
  batch: (variant: string, number: number) =>
    toyBatches().batch({ epoch: 1000 + number, index: variant === '4' ? 0 : 1 }),
};

/** The toy training with dynamic weights; a fresh control each time, as a process that goes on has one. */
function dynamicTraining(
  overrides: Partial<TrainingOptions> = {},
  settings: Partial<TrainedWeightsOptions['settings']> = {},
  warn?: (message: string) => void,
): TrainingOptions {
  const plain = toyTraining(overrides);
  const { terms } = plain;
  const weights = { names: terms.map(({ name }) => name), classes: CLASSES };
  const control = new TrainedWeights({
    ...plain,
    settings: { every: 3, learningRate: 0.05, limit: 5, memory: 0.9, ...settings },
    weights,
    stages: [{ name: 'training', terms }],
    validation,
    onWarning: warn,
  });
  return { ...plain, weighting: dynamicWeights(weights), controls: [control] };
}

/** The labels, all wrong: what teaches it away from the truth. */
function wrongLabels(weight: number): ObjectiveTerm {
  const name = 'wrong';
  const term = labelsTerm({ weight });
  return {
    name,
    weight,
    build: (g, inputs) =>
      term.build(g, {
        ...inputs,
        input(...asked) {
          const value = inputs.input(...asked);
          if (asked[0] !== 'labels') return value;
          const next = g.add(value, g.constant(tensor('int32', [], Int32Array.of(1))));
          return g.op('Mod', [next, g.constant(tensor('int32', [], Int32Array.of(CLASSES)))]);
        },
      }),
  };
}

describe('TrainedWeights', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'limbeck-weights-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('end in the same bits when the training was stopped and went on', async () => {
    const whole = await trainStudent(dynamicTraining());
    const stop = new AbortController();
    const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
    const interrupted = trainStudent(
      dynamicTraining({
        checkpoints,
        signal: stop.signal,
        onProgress: (done) => done === 22 && stop.abort(),
      }),
    );
    await expect(interrupted).rejects.toMatchObject({ code: 'train.interrupted' });
    const resumed = await trainStudent(dynamicTraining({ checkpoints }));
    expect(bitsOf(resumed.parameters)).toBe(bitsOf(whole.parameters));
    const told = (row: Record<string, unknown>) => ({ ...row, seconds: 0 });
    expect(resumed.metrics.map(told)).toEqual(whole.metrics.map(told));
    const last = whole.metrics.at(-1) as Record<string, number>;
    expect(last['alpha/kd']).not.toBe(0);
    expect(last['weighting/validation_loss']).toBeGreaterThan(0);
  });

  it('learn that a term teaches what is wrong', async () => {
    const terms = [labelsTerm({ weight: 1 }), wrongLabels(0.5)];
    const schedule = { peak: 0.01, totalSteps: 96, warmup: 0, decay: 'constant' } as const;
    const { metrics } = await trainStudent(dynamicTraining({ terms, schedule }, { learningRate: 0.1 }));
    const last = metrics.at(-1) as Record<string, number>;
    expect(metrics[0]?.['weight/wrong']).toBeGreaterThan(0.4);
    expect(last['weight/wrong']).toBeLessThan(0.25);
    expect(last['weight/labels']).toBeGreaterThan(1.2);
    expect(last['cause/effect/wrong']).toBeLessThan(0);
    expect(last['cause/effect/labels']).toBeGreaterThan(0);
    const fixed = await trainStudent(toyTraining({ terms, schedule }));
    expect(last['loss/labels']).toBeLessThan(fixed.metrics.at(-1)?.['loss/labels'] as number);
  });

  it('stay within their limits, and say so', async () => {
    const warnings: string[] = [];
    const { metrics } = await trainStudent(
      dynamicTraining({}, { learningRate: 5, limit: 0.5 }, (message) => warnings.push(message)),
    );
    const row = metrics.at(-1) as Record<string, number>;
    for (const [name, value] of Object.entries(row))
      if (/^(alpha|beta|gamma)\//.test(name)) expect(Math.abs(value)).toBeLessThanOrEqual(0.5);
    expect(warnings[0]).toMatch(/of the loss term '(kd|labels)' has reached its limit of -?0.5/);
    expect(new Set(warnings).size).toBe(warnings.length);
  });

  it('are left as they are where nothing is held out in the size of a step', async () => {
    const plain = toyTraining();
    const weights = { names: ['kd', 'labels'], classes: CLASSES };
    const control = new TrainedWeights({
      ...plain,
      settings: { every: 3, learningRate: 0.05, limit: 5, memory: 0.9 },
      weights,
      stages: [{ name: 'training', terms: plain.terms }],
      validation: { batch: () => undefined },
    });
    const { metrics } = await trainStudent({
      ...plain,
      weighting: dynamicWeights(weights),
      controls: [control],
    });
    expect(metrics.at(-1)).toMatchObject({ 'alpha/kd': 0, 'cause/effect/kd': 0 });
    expect(metrics.at(-1)).not.toHaveProperty('weighting/validation_loss');
  });

  it('are left as they are where a gradient is no number', async () => {
    const warnings: string[] = [];
    const options = dynamicTraining({}, {}, (message) => warnings.push(message));
    const broken: TrainingOptions = {
      ...options,
      controls: options.controls?.map((control) => {
        const afterStep = control.afterStep?.bind(control);
        control.afterStep = (outcome) =>
          afterStep?.({ ...outcome, settings: { ...outcome.settings, step: float32([Number.NaN], []) } });
        return control;
      }),
    };
    const { metrics } = await trainStudent(broken);
    expect(metrics.at(-1)?.['alpha/kd']).toBe(0);
    expect(warnings).toEqual([expect.stringMatching(/is no number/)]);
  });
});

describe('BalancedNorms', () => {
  it('brings terms of very different gradients to the same norm', async () => {
    const scaled: ObjectiveTerm = {
      name: 'faint',
      weight: 1,
      build(g, inputs) {
        const logits = inputs.student('logits');
        const perRow = g.reduceMean(g.square(logits), { axes: [1], keepDims: false });
        return g.mul(weightedMean(g, perRow, inputs.rowWeights()), 0.01);
      },
    };
    const terms = [labelsTerm({ weight: 1 }), scaled];
    const names = terms.map(({ name }) => name);
    const control = new BalancedNorms({
      settings: { proportion: 'equal', memory: 0 },
      names,
      stages: [{ name: 'training', terms }],
    });
    const { metrics } = await trainStudent(
      toyTraining({ terms, weighting: givenFactors(names), controls: [control] }),
    );
    const [before, after] = [metrics[0], metrics[1]] as Record<string, number>[];
    expect(before['weight/faint']).toBe(1);
    // The factors of the second row are those of the norms of the first.
    const pulls = names.map((name) => before[`grad_norm/${name}`] * after[`weight/${name}`]);
    expect(pulls[0]).toBeCloseTo(pulls[1] as number, 4);
    expect(pulls[0]).toBeCloseTo((before['grad_norm/labels'] + before['grad_norm/faint']) / 2, 4);
    const restored = new BalancedNorms({ settings: { proportion: 'equal', memory: 0 }, names, stages: [] });
    restored.restore(control.save());
    expect(restored.feeds()).toEqual(control.feeds());
  });
});
