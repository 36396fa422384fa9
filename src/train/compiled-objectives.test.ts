import { expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { LimbeckError } from '../errors.ts';
import { NAMED_OBJECTIVES } from '../objectives/index.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { elementCount, float32, int64, type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { firstContents } from './carried.ts';
import { compileModel } from './compile-model.ts';
import type { ModelObjectiveOptions } from './model-terms.ts';
import type { TensorSpec } from './step-graph.ts';

const engine = createNodeEngine();
const [BATCH, TOKENS] = [4, 3];

/** A model with an output of every form: classes, two embeddings, tokens, maps, and a loss of its own. */
function manyOutputs(): Graph {
  const g = new GraphBuilder();
  const random = randomStream(1, 'many-outputs');
  const weights = (name: string, dims: number[]) =>
    g.initializer(
      name,
      float32(
        Array.from({ length: elementCount(dims) }, () => random.normal()),
        dims,
      ),
    );
  const x = g.input('x', 'float32', ['batch', 5]);
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  g.output(g.matMul(x, weights('w.logits', [5, 3])), 'logits');
  g.output(g.matMul(x, weights('w.text', [5, 4])), 'text');
  g.output(g.matMul(g.square(x), weights('w.image', [5, 4])), 'image');
  const tokens = g.gather(weights('w.tokens', [6, 3]), ids);
  g.output(g.mul(tokens, g.unsqueeze(g.cast(mask, 'float32'), [2])), 'tokens');
  g.output(g.reshape(g.matMul(x, weights('w.maps', [5, 12])), [-1, 3, 2, 2]), 'maps');
  g.output(g.reduceMean(g.square(g.matMul(x, weights('w.own', [5, 1]))), { keepDims: false }), 'own');
  return g.build('many-outputs');
}

const CASES: Record<string, ModelObjectiveOptions & { inputs: string[] }> = {
  bce: { kind: 'bce', inputs: ['labels', 'row_weights'] },
  bceKd: { kind: 'bceKd', inputs: ['knowledge/logits', 'row_weights'] },
  mse: { kind: 'mse', output: 'text', inputs: ['labels/text', 'row_weights/text'] },
  mseKd: { kind: 'mseKd', output: 'text', inputs: ['knowledge/text', 'row_weights/text'] },
  huber: { kind: 'huber', delta: 2, inputs: ['labels', 'row_weights'] },
  huberKd: { kind: 'huberKd', inputs: ['knowledge/logits', 'row_weights'] },
  cosine: { kind: 'cosine', output: 'image', inputs: ['labels/image', 'row_weights/image'] },
  cosineKd: { kind: 'cosineKd', output: 'text', inputs: ['knowledge/text', 'row_weights/text'] },
  tokenLabels: { kind: 'tokenLabels', output: 'tokens', inputs: ['row_weights/tokens', 'labels/tokens'] },
  tokenKd: { kind: 'tokenKd', output: 'tokens', inputs: ['row_weights/tokens', 'knowledge/tokens'] },
  tokenDivergence: {
    kind: 'tokenDivergence',
    output: 'tokens',
    inputs: ['row_weights/tokens', 'knowledge/tokens'],
  },
  nextTokenKd: {
    kind: 'nextTokenKd',
    output: 'tokens',
    inputs: ['row_weights/tokens', 'knowledge/tokens', 'labels/tokens'],
  },
  infoNce: { kind: 'infoNce', outputs: ['text', 'image'], inputs: ['row_weights/text', 'row_weights/image'] },
  marginContrastive: {
    kind: 'marginContrastive',
    outputs: ['text', 'image'],
    inputs: ['row_weights/text', 'row_weights/image'],
  },
  affinityKd: {
    kind: 'affinityKd',
    outputs: ['text', 'image'],
    inputs: ['row_weights/text', 'row_weights/image', 'knowledge/text', 'knowledge/image'],
  },
  centreFocal: {
    kind: 'centreFocal',
    output: 'maps',
    channels: [0, 1],
    inputs: ['labels/maps', 'row_weights/maps'],
  },
  centreFocalKd: {
    kind: 'centreFocalKd',
    output: 'maps',
    channels: [0, 1],
    inputs: ['knowledge/maps', 'row_weights/maps'],
  },
  centreSizes: {
    kind: 'centreSizes',
    output: 'maps',
    channels: [1, 3],
    inputs: ['labels/maps', 'row_weights/maps'],
  },
  centreSizesKd: {
    kind: 'centreSizesKd',
    output: 'maps',
    sizes: [1, 3],
    channels: [0, 1],
    inputs: ['knowledge/maps', 'row_weights/maps'],
  },
  output: { kind: 'output', output: 'own', inputs: [] },
};

/** These compare what a recipe says to keep of a teacher's answers (`outputs.NAME.keep`). */
const OF_KEPT = ['uld', 'alignedLikelihoods'] as const;

test('every loss that recipes may name is trained by here', () => {
  const named = NAMED_OBJECTIVES.map(({ kind }) => kind);
  expect(Object.keys(CASES)).toEqual(named.filter((kind) => !OF_KEPT.some((one) => one === kind)));
});

test.each(OF_KEPT)('%s is refused where nothing says what is kept', (kind) => {
  const options = { objectives: [{ kind, output: 'tokens' }], optimizer: { kind: 'adamw' } } as const;
  const sizes = { batch: BATCH, sequence: TOKENS };
  expect(() => compileModel(manyOutputs(), { ...options, sizes })).toThrow('compares another part');
});

test.each(Object.entries(CASES))(
  '%s lowers itself, in a step compiled for any model',
  async (_, { inputs, ...given }) => {
    const { step } = compileModel(manyOutputs(), {
      objectives: [given],
      sizes: { batch: BATCH, sequence: TOKENS },
      optimizer: { kind: 'adamw' },
    });
    const asked = step.batchInputs.map(({ name }) => name);
    expect(asked.filter((name) => !['x', 'input_ids', 'attention_mask'].includes(name))).toEqual(inputs);
    const batch = Object.fromEntries(step.batchInputs.map((spec) => [spec.name, contentOf(spec)]));
    const session = await engine.load(writeModel(step.graph));
    let state = firstContents(step.carried);
    const losses: number[] = [];
    for (let i = 1; i <= 40; i++) {
      const scalars = { learning_rate: float32([0.05], []), step: float32([i], []) };
      const out = await session.run({ ...state, ...batch, ...scalars });
      state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`${name}/next`]!]));
      losses.push(Number(out.loss?.data[0]));
    }
    await session.release();
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
  },
);

/** Some numbers of the kind that an input takes; the last row does not count. */
function contentOf({ name, type, dims }: TensorSpec): Tensor {
  const random = randomStream(2, name);
  const draw = (next: (i: number) => number) => Array.from({ length: elementCount(dims) }, (_, i) => next(i));
  if (name.startsWith('row_weights'))
    return float32(
      draw((i) => (i === BATCH - 1 ? 0 : 1)),
      [...dims],
    );
  if (name === 'attention_mask')
    return int64(
      draw((i) => (i === 2 ? 0 : 1)),
      [...dims],
    );
  if (type === 'int64')
    return int64(
      draw(() => random.integer(6)),
      [...dims],
    );
  if (type === 'int32') return tensor('int32', dims, Int32Array.from(draw(() => random.integer(4) - 1)));
  const isTruth = name === 'labels' || name === 'labels/maps';
  return float32(
    draw(() => (isTruth ? random.integer(2) : random.normal())),
    [...dims],
  );
}

test('terms that take one input in two forms are refused', () => {
  const both = () =>
    compileModel(manyOutputs(), {
      objectives: [{ kind: 'labels' }, { kind: 'mse' }],
      sizes: { batch: BATCH, sequence: TOKENS },
    });
  expect(both).toThrow(/two terms of the loss take 'labels' in different forms/);
});

test.each([
  [{ kind: 'tokenKd' }, 'train.objective-output'],
  [{ kind: 'centreFocal', output: 'maps', channels: [2, 4] }, 'train.objective-output'],
  [{ kind: 'infoNce', outputs: ['text', 'logits'] }, 'train.objective-output'],
  [{ kind: 'infoNce', outputs: ['text', 'imgae'] }, 'compile.no-such-output'],
  [{ kind: 'infoNce' }, 'compile.option'],
  [{ kind: 'centreSizes', output: 'maps', channels: [2, 2] }, 'compile.option'],
])('%j is refused', (objective, code) => {
  try {
    compileModel(manyOutputs(), {
      objectives: [objective as ModelObjectiveOptions],
      sizes: { batch: BATCH, sequence: TOKENS },
    });
    expect.fail('it was compiled');
  } catch (error) {
    expect((error as LimbeckError).code).toBe(code);
  }
});

test('what a term brings is carried through several steps in one run', () => {
  const { step } = compileModel(manyOutputs(), {
    objectives: [{ kind: 'infoNce', outputs: ['text', 'image'] }],
    sizes: { batch: BATCH, sequence: TOKENS },
    stepsPerRun: 2,
  });
  const name = 'auxiliary/infoNce/text+image/log_scale';
  expect(step.graph.inputs.map((input) => input.name)).toContain(name);
  expect(step.graph.outputs.map((output) => output.name)).toContain(`${name}/next`);
});
