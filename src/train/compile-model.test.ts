import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { carriedSpecs, firstContents } from './carried.ts';
import { type CompiledModel, type CompileModelOptions, compileModel } from './compile-model.ts';
import { describeStep } from './describe-step.ts';
import { stepDescriptionSchema } from './step-description.ts';

const engine = createNodeEngine();

/** logits = x w + b over x [batch, 2], beside a second output and what is no weight. */
function linear(): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 2]);
  const w = g.initializer('dense.weight', float32([1, 2, 3, 4, 5, 6], [2, 3]));
  const b = g.initializer('dense.bias', float32([0.5, 0, -0.5]));
  const mask = g.initializer('mask', float32([0, -10000, 0]));
  const logits = g.identity(g.gemm(x, w, b), 'logits');
  g.output(logits);
  g.output(g.identity(g.add(logits, mask), 'masked'));
  g.output(g.reduceMean(g.square(logits), { keepDims: false }), 'penalty');
  g.output(g.mul(x, g.initializer('unused.scale', float32([1, 1]))), 'scaled');
  return g.build('linear');
}

const BATCH = { sizes: { batch: 2 } };
const x = float32([1, 2, -1, 0.5], [2, 2]);
const rowWeights = float32([1, 1]);
const scalars = (rate: number, step = 1) => ({
  learning_rate: float32([rate], []),
  step: float32([step], []),
});

function compileError(options: Partial<CompileModelOptions>, model = linear()): LimbeckError {
  try {
    compileModel(model, { objectives: [{ kind: 'labels' }], ...BATCH, ...options });
  } catch (error) {
    return error as LimbeckError;
  }
  throw new Error('it was compiled');
}

/** Runs a step once from the initial parameters. */
async function runOnce(
  { step }: CompiledModel,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await engine.load(writeModel(step.graph));
  const out = await session.run({ ...firstContents(step.carried), ...feeds });
  await session.release();
  return out;
}

const numbers = (value: Tensor | undefined) => Array.from(value?.data as Float32Array);

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(value / Math.max(1, Math.abs(value))).toBeCloseTo(
      (expected[i] as number) / Math.max(1, Math.abs(value)),
      5,
    );
  });
}

describe('compileModel', () => {
  it('makes one step of gradient descent on a regression', async () => {
    const compiled = compileModel(linear(), {
      objectives: [{ kind: 'mse' }],
      optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 },
      ...BATCH,
    });
    expect(carriedSpecs(compiled.step.carried, 'parameter').map(({ name }) => name)).toEqual([
      'dense.weight',
      'dense.bias',
    ]);
    const labels = float32([0, 0, 0, 0, 0, 0], [2, 3]);
    const out = await runOnce(compiled, { x, labels, row_weights: rowWeights, ...scalars(0.6) });
    const logits = [
      [9.5, 12, 14.5],
      [1.5, 0.5, -0.5],
    ] as const;
    expectClose(numbers(out.loss), [logits.flat().reduce((sum, value) => sum + value ** 2, 0) / 6]);
    // d loss / d logits = 2 logits / (2 rows * 3 columns).
    const [first, second] = logits.map((row) => row.map((value) => value / 3)) as [number[], number[]];
    expectClose(
      numbers(out['dense.bias/next']),
      [0.5, 0, -0.5].map((value, i) => value - 0.6 * (first[i]! + second[i]!)),
    );
    expectClose(numbers(out['dense.weight/next']), [
      ...[1, 2, 3].map((value, i) => value - 0.6 * (first[i]! - second[i]!)),
      ...[4, 5, 6].map((value, i) => value - 0.6 * (2 * first[i]! + 0.5 * second[i]!)),
    ]);
  });

  it('sums terms on several outputs, each with inputs of its own', async () => {
    const compiled = compileModel(linear(), {
      objectives: [
        { kind: 'labels', weight: 0.5 },
        { kind: 'kd', temperature: 4 },
        { kind: 'labels', output: 'masked' },
        { kind: 'output', output: 'penalty', weight: 0.1 },
      ],
      ...BATCH,
    });
    expect(compiled.step.batchInputs.map(({ name, dims }) => `${name}[${dims}]`)).toEqual([
      'x[2,2]',
      'labels[2]',
      'row_weights[2]',
      'knowledge/logits[2,3]',
      'labels/masked[2]',
      'row_weights/masked[2]',
    ]);
    const out = await runOnce(compiled, {
      x,
      labels: tensor('int32', [2], Int32Array.of(0, 2)),
      'labels/masked': tensor('int32', [2], Int32Array.of(2, -1)),
      row_weights: rowWeights,
      'row_weights/masked': rowWeights,
      'knowledge/logits': float32([1, 0, 0, 0, 1, 0], [2, 3]),
      ...scalars(0.01),
    });
    const term = (name: string) => numbers(out[`loss/${name}`])[0]!;
    const total = 0.5 * term('labels') + term('kd') + term('labels/masked') + 0.1 * term('penalty');
    expectClose(numbers(out.loss), [total]);
    expect(compiled.step.metrics).toEqual([
      'loss',
      'loss/labels',
      'loss/kd',
      'loss/labels/masked',
      'loss/penalty',
      'grad_norm',
    ]);
  });

  it('takes labels for every position of a sequence', async () => {
    const g = new GraphBuilder();
    const ids = g.input('ids', 'int64', ['batch', 'sequence']);
    g.output(g.gather(g.initializer('table', float32([0, 0, Math.log(3), 0], [2, 2])), ids), 'logits');
    const compiled = compileModel(g.build(), {
      objectives: [{ kind: 'labels' }],
      sizes: { batch: 1, sequence: 3 },
    });
    const out = await runOnce(compiled, {
      ids: tensor('int64', [1, 3], BigInt64Array.of(0n, 1n, 1n)),
      labels: tensor('int32', [1, 3], Int32Array.of(0, 1, -1)),
      row_weights: float32([1, 1, 1], [1, 3]),
      ...scalars(0.1),
    });
    // Probabilities 1/2 and 1/4; the third position has no label, and the mean is over the three rows that count.
    expectClose(numbers(out.loss), [(Math.log(2) + Math.log(4)) / 2]);
  });

  it('makes several steps in one run, in the same numbers as one after another', async () => {
    const options: CompileModelOptions = {
      objectives: [{ kind: 'labels' }],
      optimizer: { kind: 'adamw' },
      maxGradNorm: 1,
      ...BATCH,
    };
    const single = compileModel(linear(), options);
    const three = compileModel(linear(), { ...options, stepsPerRun: 3 });
    expect(three.step.batchInputs.map(({ name, dims }) => `${name}[${dims}]`)).toEqual([
      'x[3,2,2]',
      'labels[3,2]',
      'row_weights[3,2]',
    ]);
    const batches = [0, 1, 2].map((k) => ({
      x: float32([k, 1, -1, 2 * k], [2, 2]),
      labels: tensor('int32', [2], Int32Array.of(k, 0)),
      row_weights: rowWeights,
    }));
    const session = await engine.load(writeModel(single.step.graph));
    let state: Record<string, Tensor> = firstContents(single.step.carried);
    const losses: number[] = [];
    for (const [i, batch] of batches.entries()) {
      const out = await session.run({ ...state, ...batch, ...scalars(0.1, i + 1) });
      state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`${name}/next`]!]));
      losses.push(...numbers(out.loss));
    }
    await session.release();
    const joined = (name: 'x' | 'row_weights', dims: number[]) =>
      float32(
        batches.flatMap((batch) => numbers(batch[name])),
        dims,
      );
    const out = await runOnce(three, {
      x: joined('x', [3, 2, 2]),
      row_weights: joined('row_weights', [3, 2]),
      labels: tensor('int32', [3, 2], Int32Array.of(0, 0, 1, 0, 2, 0)),
      ...scalars(0.1, 1),
    });
    expectClose(numbers(out.loss), losses);
    expectClose(numbers(out['dense.weight/next']), numbers(state['dense.weight']));
    expectClose(numbers(out['adamw/v/dense.weight/next']), numbers(state['adamw/v/dense.weight']));
  });

  it('is described by JSON that the schema accepts and that names every input and output', () => {
    for (const stepsPerRun of [1, 2]) {
      const compiled = compileModel(linear(), { objectives: [{ kind: 'labels' }], stepsPerRun, ...BATCH });
      const description = describeStep(compiled, {
        version: '1.2.3',
        files: { step: 'step.onnx', student: 'student.onnx', parameters: null, forward: null },
        sizes: BATCH.sizes,
        stepsPerRun,
      });
      expect(stepDescriptionSchema.parse(JSON.parse(JSON.stringify(description)))).toEqual(description);
      const { parameters, buffers, state, batch, scalars, metrics, frozen } = description;
      const carried = [...parameters, ...buffers, ...state];
      const shapes = (values: readonly { name: string; shape?: unknown }[]) =>
        values.map(({ name, shape }) => `${name}[${shape}]`).sort();
      expect(shapes([...carried, ...batch, ...scalars])).toEqual(shapes(compiled.step.graph.inputs));
      const outputs = [...carried.map(({ next, shape }) => ({ name: next, shape })), ...metrics];
      expect(shapes(outputs)).toEqual(shapes(compiled.step.graph.outputs));
      expect(frozen).toEqual([
        { name: 'mask', reason: 'a mask' },
        { name: 'unused.scale', reason: 'the loss does not depend on it' },
      ]);
    }
  });

  it('does not take broken weights for a mask', () => {
    const reasons = [
      [Number.NaN, 1, 2, 3],
      [Number.NEGATIVE_INFINITY, Number.NaN, 2, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 0, 0, 0],
      [-10000, 0, 0, 0],
    ].map((weights) => {
      const g = new GraphBuilder();
      const hidden = g.matMul(
        g.input('x', 'float32', [2, 4]),
        g.initializer('dense', float32([1, 2, 3, 4], [4, 1])),
      );
      g.output(g.identity(g.mul(hidden, g.initializer('weights', float32(weights))), 'logits'));
      return compileModel(g.build(), { objectives: [{ kind: 'labels' }] }).frozen;
    });
    expect(reasons.map(([frozen]) => frozen!.reason)).toEqual([
      '1 of its 4 numbers is NaN or infinite',
      '2 of its 4 numbers are NaN or infinite',
      'a mask',
      'a mask',
    ]);
  });

  it('carries the running statistics of a batch normalisation, also where their outputs are left out', async () => {
    for (const outputs of [1, 3]) {
      for (const stepsPerRun of [1, 2]) {
        const g = new GraphBuilder();
        const x = g.input('x', 'float32', [4, 2]);
        const vector = (name: string, value: number) => g.initializer(name, float32([value, value]));
        const inputs = [x, vector('gain', 1), vector('shift', 0), vector('mean', 0), vector('var', 1)];
        const normal = g.node('BatchNormalization', inputs, { training_mode: 1 }, { outputs });
        g.output(g.identity(normal[0]!, 'logits'));
        const compiled = compileModel(g.build(), { objectives: [{ kind: 'labels' }], stepsPerRun });
        const description = describeStep(compiled, {
          version: '1.2.3',
          files: { step: 'step.onnx', student: 'student.onnx', parameters: null, forward: null },
          sizes: {},
          stepsPerRun,
        });
        expect(description.buffers.map(({ name, next }) => [name, next])).toEqual([
          ['mean', 'mean/next'],
          ['var', 'var/next'],
        ]);
        expect(description.frozen).toEqual([]);
        expect([...compiled.initial.keys()].sort()).toEqual(['gain', 'mean', 'shift', 'var']);
        const { parameters, buffers, state, batch, scalars } = description;
        const names = [...parameters, ...buffers, ...state, ...batch, ...scalars].map(({ name }) => name);
        expect(names.sort()).toEqual(compiled.step.graph.inputs.map(({ name }) => name).sort());
      }
    }
  });

  it('trains what is named, and freezes what is named', () => {
    const names = (options: Partial<CompileModelOptions>) =>
      carriedSpecs(
        compileModel(linear(), { objectives: [{ kind: 'labels' }], ...BATCH, ...options }).step.carried,
        'parameter',
      ).map(({ name }) => name);
    expect(names({ train: ['*bias'] })).toEqual(['dense.bias']);
    expect(names({ freeze: ['*bias'] })).toEqual(['dense.weight']);
    expect(names({ train: ['dense.*'], freeze: ['dense.weight'] })).toEqual(['dense.bias']);
    // A mask learns when it is asked for by its name, not by a pattern.
    expect(names({ train: ['*'], output: 'masked' })).toEqual(['dense.weight', 'dense.bias']);
    expect(names({ train: ['mask'], output: 'masked' })).toEqual(['mask']);
  });

  it('leaves the inner names of the model free for the step', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 2]);
    const loss = g.identity(
      g.reduceSum(g.mul(x, g.initializer('w', float32([1, 2]))), { keepDims: false }),
      'loss',
    );
    g.output(g.mul(loss, 2), 'labels');
    g.output(loss);
    const { step } = compileModel(g.build(), { objectives: [{ kind: 'output', output: 'loss' }] });
    expect(step.graph.outputs.map(({ name }) => name)).toContain('loss');
  });
});

describe('what cannot be compiled', () => {
  it('is an objective or optimizer that is not there, with the nearest one', () => {
    expect(compileError({ objectives: [] })).toMatchObject({ code: 'compile.option' });
    const kind = (name: string) => ({ objectives: [{ kind: name }] }) as unknown as CompileModelOptions;
    expect(compileError(kind('label'))).toMatchObject({
      code: 'compile.option',
      remedy: expect.stringContaining("Did you mean 'labels'?"),
    });
    expect(compileError({ optimizer: { kind: 'adam' } as never }).remedy).toContain("'adamw'");
    expect(compileError({ objectives: [{ kind: 'kd', temprature: 2 } as never] }).remedy).toContain(
      "'temperature'",
    );
    expect(compileError({ optimizer: { kind: 'adamw', momentum: 0.9 } as never }).message).toContain(
      "no option 'momentum'",
    );
  });

  it('is an operator that is not known, and no size that its output declares', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 4]);
    const weights = g.initializer('weights', float32([1, 2, 3, 4], [4, 1]));
    g.output(g.identity(g.matMul(x, weights), 'logits'));
    const graph = g.build();
    const nodes = graph.nodes.map((node) =>
      node.opType === 'Identity' ? { ...node, opType: 'Fancy' } : node,
    );
    expect(compileError({ sizes: { batch: 2 } }, { ...graph, nodes })).toMatchObject({
      code: 'train.no-gradient',
      message: expect.stringContaining('Fancy'),
    });
  });

  it('is an option out of its range', () => {
    expect(compileError({ objectives: [{ kind: 'kd', temperature: 0 }] }).message).toContain('temperature');
    expect(compileError({ objectives: [{ kind: 'labels', weight: -1 }] })).toMatchObject({
      code: 'compile.option',
      where: 'objective labels, option weight',
    });
    expect(compileError({ objectives: [{ kind: 'output' } as never] }).message).toContain(
      "needs the option 'output'",
    );
    expect(compileError({ maxGradNorm: 0 })).toMatchObject({ code: 'compile.option' });
    expect(compileError({ stepsPerRun: 1.5 })).toMatchObject({ code: 'compile.option' });
    expect(compileError({ objectives: [{ kind: 'labels' }, { kind: 'labels' }] }).message).toContain('twice');
  });

  it('is an output that the model does not have', () => {
    expect(compileError({ output: 'logit' })).toMatchObject({
      code: 'compile.no-such-output',
      remedy: expect.stringContaining("'logits'"),
    });
    expect(compileError({ objectives: [{ kind: 'mse', output: 'penalti' }] }).remedy).toContain("'penalty'");
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1, 2]);
    const w = g.initializer('w', float32([1, 2]));
    g.output(g.mul(x, w), 'a');
    g.output(g.add(x, w), 'b');
    expect(compileError({ sizes: {} }, g.build())).toMatchObject({ code: 'compile.no-such-output' });
  });

  it('is a model whose sizes are not given, or not its own', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 'length', 4]);
    g.output(g.mul(x, g.initializer('w', float32([1, 2, 3, 4]))), 'logits');
    const model = g.build();
    const missing = compileError({ sizes: {} }, model);
    expect(missing.message).toContain("'batch' (of x), 'length' (of x)");
    expect(missing.remedy).toBe('Give --size batch=N --size length=N.');
    expect(compileError({ sizes: { batch: 2 } }, model).remedy).toBe('Give --size length=N.');
    expect(compileError({ sizes: { batch: 2, length: 3, lenght: 3 } }, model).remedy).toContain("'length'");
    expect(compileError({ sizes: { batch: 0, length: 3 } }, model).code).toBe('compile.option');
  });

  it('is a model whose sizes do not go together', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 'length']);
    const positions = g.initializer('positions', float32([1, 2, 3, 4], [1, 4]));
    g.output(g.op('Add', [x, positions], {}, { name: 'add_positions' }), 'logits');
    expect(compileError({ sizes: { batch: 2, length: 3 } }, g.build())).toMatchObject({
      code: 'compile.shapes',
      where: expect.stringContaining('add_positions'),
    });
  });

  it('is a loss that nothing leads to, or that has the wrong shape', () => {
    expect(compileError({ train: ['unused.scale'] })).toMatchObject({ code: 'compile.no-parameter' });
    expect(compileError({ train: ['dense.wieght'] })).toMatchObject({
      code: 'compile.no-such-parameter',
      remedy: expect.stringContaining("'dense.weight'"),
    });
    expect(compileError({ objectives: [{ kind: 'output', output: 'logits' }] })).toMatchObject({
      code: 'train.loss-not-scalar',
    });
    expect(compileError({ output: 'penalty' })).toMatchObject({
      code: 'train.objective-output',
      where: expect.stringContaining('penalty'),
    });
    const g = new GraphBuilder();
    g.output(g.neg(g.input('x', 'float32', [1, 2])), 'logits');
    expect(compileError({ sizes: {} }, g.build())).toMatchObject({ code: 'compile.no-parameter' });
  });

  it('is a model that uses the names of a step', () => {
    const g = new GraphBuilder();
    const x = g.input('step', 'float32', [1, 2]);
    g.output(g.mul(x, g.initializer('w', float32([1, 2]))), 'logits');
    expect(compileError({ sizes: {} }, g.build())).toMatchObject({ code: 'compile.reserved-name' });
    const h = new GraphBuilder();
    const labels = h.input('labels', 'float32', [1, 2]);
    h.output(h.mul(labels, h.initializer('w', float32([1, 2]))), 'logits');
    expect(compileError({ sizes: {} }, h.build())).toMatchObject({ code: 'train.name-taken' });
  });
});
