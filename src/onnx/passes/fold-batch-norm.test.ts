import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import type { Graph, TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { elementCount, type Tensor, tensor } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { operatorsOf } from '../testing/small-graph.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';

/** A graph of layers with made-up weights. */
class Layers {
  readonly g = new GraphBuilder();
  readonly #random: ReturnType<typeof randomStream>;
  #count = 0;

  constructor(seed: number) {
    this.#random = randomStream(seed, 'weights');
  }

  normal(dims: readonly number[]): Tensor {
    const data = Float32Array.from({ length: elementCount(dims) }, () => this.#random.normal());
    return tensor('float32', dims, data);
  }

  weight(dims: readonly number[]): TypedValue {
    return this.g.initializer(`weight${this.#count++}`, this.normal(dims));
  }

  norm(x: TypedValue): TypedValue {
    const channels = x.shape[1] as number;
    const variance = tensor(
      'float32',
      [channels],
      Float32Array.from({ length: channels }, () => 0.1 + this.#random.uniform()),
    );
    const vector = () => this.weight([channels]);
    const inputs = [x, vector(), vector(), vector(), this.g.initializer(`var${this.#count++}`, variance)];
    return this.g.op('BatchNormalization', inputs);
  }
}

async function expectSame(graph: Graph, folded: Graph, layers: Layers): Promise<void> {
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => [name, layers.normal(shape as number[])]),
  );
  const [before, after] = [await runGraph(graph, feeds), await runGraph(folded, feeds)];
  for (const [name, { dims, data }] of Object.entries(before)) {
    expect(after[name].dims).toEqual(dims);
    const scale = Math.max(1, ...Array.from(data as Float32Array, Math.abs));
    (data as Float32Array).forEach((value, i) => {
      expect(Math.abs(Number(after[name].data[i]) - value)).toBeLessThan(2e-5 * scale);
    });
  }
}

const convolution = fc.record({
  seed: fc.nat(1e6),
  operator: fc.constantFrom('Conv', 'ConvTranspose'),
  groups: fc.constantFrom(1, 2, 3),
  inputs: fc.integer({ min: 1, max: 2 }),
  outputs: fc.integer({ min: 1, max: 3 }),
  kernel: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }),
  pad: fc.integer({ min: 0, max: 1 }),
  bias: fc.boolean(),
});

describe('foldBatchNorm', () => {
  it('folds a normalisation into the convolution before it, in groups and transposed too', async () => {
    await fc.assert(
      fc.asyncProperty(
        convolution,
        async ({ seed, operator, groups, inputs, outputs, kernel, pad, bias }) => {
          const layers = new Layers(seed);
          const { g } = layers;
          const x = g.input('x', 'float32', [2, groups * inputs, ...kernel.map(() => 5)]);
          const dims =
            operator === 'Conv'
              ? [groups * outputs, inputs, ...kernel]
              : [groups * inputs, outputs, ...kernel];
          const pads = [...kernel, ...kernel].map((size) => Math.min(pad, size - 1));
          const parts = [x, layers.weight(dims), bias ? layers.weight([groups * outputs]) : null];
          g.output(g.relu(layers.norm(layers.norm(g.op(operator, parts, { group: groups, pads })))), 'y');
          const graph = g.build();
          const folded = foldBatchNorm(graph);
          expect(operatorsOf(folded)).toEqual([operator, 'Relu', 'Identity']);
          await expectSame(graph, folded, layers);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('folds it into an unpadded convolution after it, and only into such a one', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async ({ seed, groups, inputs, outputs, kernel, pad, bias }) => {
        const layers = new Layers(seed);
        const { g } = layers;
        const x = g.input('x', 'float32', [2, groups * inputs, ...kernel.map(() => 5)]);
        const weight = layers.weight([groups * outputs, inputs, ...kernel]);
        const pads = [...kernel, ...kernel].map(() => pad);
        const parts = [layers.norm(x), weight, bias ? layers.weight([groups * outputs]) : null];
        g.output(g.op('Conv', parts, { group: groups, pads }), 'y');
        const graph = g.build();
        const folded = foldBatchNorm(graph);
        const expected = pad === 0 ? ['Conv', 'Identity'] : ['BatchNormalization', 'Conv', 'Identity'];
        expect(operatorsOf(folded)).toEqual(expected);
        await expectSame(graph, folded, layers);
      }),
      { numRuns: 30 },
    );
  });

  it('folds it into products of matrices on either side', async () => {
    const product = fc.record({
      seed: fc.nat(1e6),
      operator: fc.constantFrom('MatMul', 'Gemm'),
      transB: fc.boolean(),
      bias: fc.boolean(),
      first: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(product, async ({ seed, operator, transB, bias, first }) => {
        const layers = new Layers(seed);
        const { g } = layers;
        const x = g.input('x', 'float32', [4, 3]);
        const layer = (input: TypedValue) =>
          operator === 'MatMul'
            ? g.matMul(input, layers.weight([3, 5]))
            : g.gemm(input, layers.weight(transB ? [5, 3] : [3, 5]), bias ? layers.weight([5]) : null, {
                transB,
                alpha: 1.5,
                beta: 0.5,
              });
        g.output(first ? layer(layers.norm(x)) : layers.norm(layer(x)), 'y');
        const graph = g.build();
        const folded = foldBatchNorm(graph);
        expect(operatorsOf(folded)).toEqual(['Gemm', 'Identity']);
        await expectSame(graph, folded, layers);
      }),
      { numRuns: 20 },
    );
  });

  const small = (build: (layers: Layers, x: TypedValue) => void): Graph => {
    const layers = new Layers(1);
    build(layers, layers.g.input('x', 'float32', [2, 3, 4, 4]));
    return layers.g.build();
  };

  it('leaves what others read', () => {
    const tapped = small((layers, x) => {
      const { g } = layers;
      const y = g.op('Conv', [x, layers.weight([2, 3, 3, 3])]);
      g.output(y);
      g.output(layers.norm(y));
    });
    expect(foldBatchNorm(tapped)).toBe(tapped);
    const shared = small((layers, x) => {
      const { g } = layers;
      const weight = layers.weight([3, 3, 1, 1]);
      g.output(layers.norm(g.op('Conv', [g.op('Conv', [x, weight]), weight])));
    });
    expect(foldBatchNorm(shared)).toBe(shared);
  });

  it('leaves normalisations by the batch, and those whose numbers are inputs', () => {
    const training = small((layers, x) => {
      const { g } = layers;
      const y = g.op('Conv', [x, layers.weight([2, 3, 3, 3])]);
      const parts = [y, ...[0, 1, 2, 3].map(() => layers.weight([2]))];
      g.output(g.node('BatchNormalization', parts, { training_mode: 1 }, { outputs: 3 })[0]);
    });
    expect(foldBatchNorm(training)).toBe(training);
    const given = small((layers, x) => {
      const { g } = layers;
      const y = g.op('Conv', [x, layers.weight([2, 3, 3, 3])]);
      const scale = g.input('scale', 'float32', [2]);
      const parts = [y, scale, ...[0, 1, 2].map(() => layers.weight([2]))];
      g.output(g.op('BatchNormalization', parts));
    });
    expect(foldBatchNorm(given)).toBe(given);
  });

  it('leaves a normalisation after a product of more than two dimensions: its channels are not the last axis', () => {
    const batched = small((layers, x) => {
      const { g } = layers;
      g.output(layers.norm(g.matMul(x, layers.weight([4, 3]))));
    });
    expect(foldBatchNorm(batched)).toBe(batched);
  });

  it('keeps the names of the weights', () => {
    const graph = small((layers, x) => {
      const { g } = layers;
      g.output(layers.norm(g.op('Conv', [x, layers.weight([2, 3, 3, 3]), layers.weight([2])])));
    });
    expect([...foldBatchNorm(graph).initializers.keys()].map(({ name }) => name)).toEqual([
      'weight0',
      'weight1',
    ]);
  });
});
