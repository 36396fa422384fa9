import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { adamw } from './adamw.ts';
import { carriedSpecs } from './carried.ts';
import { compileStep, NEXT } from './compile-step.ts';
import { CompiledStage } from './compiled-stage.ts';
import { lion } from './lion.ts';
import type { Optimizer } from './optimizer.ts';
import { isLarge, overwritable } from './overwriting.ts';
import { sgd } from './sgd.ts';
import { BATCH, bitsOf, toyBatches, toyCheckpoints, toyTraining } from './testing/toy-training.ts';
import { type TrainingOptions, trainStudent } from './training-loop.ts';

const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  adamw: adamw({ weightDecay: 0.01 }),
  sgd: sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  lion: lion({ weightDecay: 0.01 }),
};

describe('a step that writes over what it reads', () => {
  it.each(
    Object.keys(OPTIMIZERS).flatMap((optimizer) => [
      [optimizer, 1, undefined],
      [optimizer, 1, 1],
      [optimizer, 4, 1],
    ]) as [string, number, number | undefined][],
  )(
    'ends in the same bits with %s, in %d parts, gradients limited to %s',
    async (name, accumulate, limit) => {
      const { maxGradNorm: _, ...toy } = toyTraining();
      const training: TrainingOptions = {
        ...toy,
        optimizer: OPTIMIZERS[name] as Optimizer,
        accumulate,
        ...(limit !== undefined && { maxGradNorm: limit }),
      };
      const stage = new CompiledStage(
        { name: 'training', terms: training.terms, steps: 10 },
        { ...training, overwrites: true },
      );
      const { feeds, fetches } = stage.buffers;
      const twice = Object.keys(feeds).filter((own) => feeds[own]?.data !== fetches[own + NEXT]?.data);
      // Lion's momentum is read by the update and by what follows on it, neither of which needs the other.
      expect(twice.filter((own) => !own.startsWith('lion/m/'))).toEqual([]);
      await stage.release();
      const plain = await trainStudent(training);
      const over = await trainStudent({ ...training, overwrites: true });
      expect(bitsOf(over.parameters)).toBe(bitsOf(plain.parameters));
      expect(over.metrics.map(({ loss }) => loss)).toEqual(plain.metrics.map(({ loss }) => loss));
    },
  );

  it('goes on from the last checkpoint where a step failed, in the same bits', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'limbeck-overwrite-'));
    try {
      const whole = await trainStudent(toyTraining({ overwrites: true }));
      const checkpoints = { folder: toyCheckpoints(folder), everySeconds: 1e9 };
      const batches = toyBatches();
      let isSpoilt = true;
      const training = (overrides: Partial<TrainingOptions> = {}) =>
        toyTraining({
          overwrites: true,
          checkpoints,
          batches: {
            ...batches,
            batch(place) {
              const made = batches.batch(place);
              const logits = (made.feeds['knowledge/logits'] as Tensor).data as Float32Array;
              if (isSpoilt && place.epoch === 2) logits.fill(Number.NaN);
              return made;
            },
          },
          ...overrides,
        });
      const stop = new AbortController();
      const first = trainStudent(
        training({ signal: stop.signal, onProgress: (done) => done === 9 && stop.abort() }),
      );
      await expect(first).rejects.toMatchObject({ code: 'train.interrupted' });
      await expect(trainStudent(training())).rejects.toMatchObject({
        code: 'train.not-finite',
        remedy: expect.stringContaining('before step 9 are kept'),
      });
      expect(readdirSync(folder)).toEqual(['step-9.safetensors']);
      // Nothing is said to be kept where nothing is.
      const fresh = training({
        checkpoints: { folder: toyCheckpoints(join(folder, 'fresh')), everySeconds: 1e9 },
      });
      await expect(trainStudent(fresh)).rejects.toMatchObject({
        remedy:
          'Lower training.optimizer.learningRate or training.maxGradNorm, for a run in another folder (--out).',
      });
      isSpoilt = false;
      const last = await trainStudent(training());
      expect(bitsOf(last.parameters)).toBe(bitsOf(whole.parameters));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('overwritable', () => {
  it('leaves weights alone that the backward pass may read after their update', () => {
    const { maxGradNorm: _, ...training } = toyTraining();
    const step = { ...training, sizes: { batch: BATCH, sequence: 8 } };
    const names = (roles: Parameters<typeof carriedSpecs>[1][], overwrites: boolean) => {
      const { graph, carried } = compileStep({ ...step, overwrites });
      const own = carriedSpecs(carried, ...roles).map(({ name }) => name);
      return { own, found: [...overwritable([graph], own, NEXT)] };
    };
    const state = names(['state'], false);
    expect(state.found).toEqual(state.own);
    const plain = names(['parameter'], false);
    expect(plain.found.length).toBeLessThan(plain.own.length);
    const last = names(['parameter'], true);
    expect(last.found).toEqual(last.own);
  });

  /** `p/next` of some kind, beside a product with p that is another output. */
  const built = (next: 'sum' | 'of the product' | 'transposed') => {
    const g = new GraphBuilder();
    const p = g.input('p', 'float32', [2, 2]);
    const x = g.input('x', 'float32', [2, 2]);
    const product = g.matMul(x, g.transpose(p, [1, 0]));
    if (next !== 'transposed') g.output(product, 'product');
    if (next === 'sum') g.output(g.add(p, x), 'p/next');
    if (next === 'of the product') g.output(g.sub(p, product), 'p/next');
    if (next === 'transposed') g.output(g.transpose(p, [1, 0]), 'p/next');
    return g.build('made');
  };

  it.each([
    ['sum', []],
    ['of the product', ['p']],
    ['transposed', []],
  ] as const)('knows whether a weight is read after: %s', (next, expected) => {
    expect([...overwritable([built(next)], ['p'], NEXT)]).toEqual(expected);
  });

  it('takes what may be written over in every graph alone', () => {
    expect([...overwritable([built('of the product'), built('sum')], ['p'], NEXT)]).toEqual([]);
  });
});

it('knows large students by their numbers', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4096]);
  const w = g.initializer('w', float32(new Float32Array(4096 * 4096), [4096, 4096]));
  g.output(g.matMul(x, w), 'logits');
  expect(isLarge({ graph: g.build('large'), parameters: ['w'] })).toBe(true);
  expect(isLarge(toyTraining().student)).toBe(false);
});
