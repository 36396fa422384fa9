import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import { trainedTensors } from '../train/step-graph.ts';
import { fakeBlocks } from './fake-blocks.ts';
import { withQuantization } from './kept-quantization.ts';
import { quantizeWeights } from './quantize-weights.ts';

const engine = createNodeEngine({ threads: 1 });

function random(seed: string, dims: readonly number[]): Tensor {
  const stream = randomStream(9, seed);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, () => 2 * stream.uniform() - 1),
    dims,
  );
}

/** A table of 45 columns, a convolution of 45 weights an output, products with 108 and 40 inputs. */
function student(): Student {
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['batch', 6]);
  const weight = (name: string, ...dims: number[]) => g.initializer(name, random(name, dims));
  const rows = g.op('Gather', [weight('table', 200, 45), ids]);
  const images = g.reshape(rows, [-1, 5, 6, 9]);
  const mapped = g.op('Conv', [images, weight('kernel', 18, 5, 3, 3)], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  const flat = g.reshape(g.reduceMean(g.op('Relu', [mapped]), { axes: [3], keepDims: false }), [-1, 108]);
  const product = g.add(g.matMul(flat, weight('matrix', 108, 40)), weight('bias', 40));
  g.output(g.op('Gemm', [product, weight('gemm', 70, 40), weight('row', 70)], { transB: 1 }), 'y');
  return { graph: g.build(), parameters: ['table', 'kernel', 'matrix', 'bias', 'gemm', 'row'] };
}

const FEEDS = { ids: int64([3, 1, 4, 1, 5, 9, 2, 6, 49, 0, 7, 199], [2, 6]) };

async function answers(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Float32Array> {
  const session = await engine.load(writeModel(graph));
  try {
    return (await session.run(feeds)).y?.data as Float32Array;
  } finally {
    await session.release();
  }
}

describe('a training with weights of 4 bits', () => {
  it.each(['load', 'run'] as const)(
    'computes what ONNX Runtime computes of the file (expand: %s)',
    async (expand) => {
      const own = student();
      const fake = fakeBlocks(own, { block: 32, expand }).student;
      const forward = compileForward(fake, { batch: 2 }, ['y']);
      const trained = await answers(forward, { ...Object.fromEntries(trainedTensors(fake)), ...FEEDS });
      const told = { activations: new Map(), weights: new Map(), fourBit: { block: 32, expand } as const };
      const form = { block: 32, expand, zeroPoints: false } as const;
      const file = await answers(quantizeWeights(withQuantization(own.graph, told), form), FEEDS);
      const most = Math.max(...file.map(Math.abs));
      expect(Math.max(...trained.map((value, i) => Math.abs(value - (file[i] as number))))).toBeLessThan(
        1e-5 * most,
      );
      // Not what the file is without the training, nor what float32 gives.
      for (const other of [quantizeWeights(own.graph, form), own.graph]) {
        const off = (await answers(other, FEEDS)).map((value, i) => Math.abs(value - (file[i] as number)));
        expect(Math.max(...off)).toBeGreaterThan(1e-3 * most);
      }
    },
  );

  it('has gradients that go straight through the rounding', async () => {
    const { graph } = fakeBlocks(student(), { block: 32, expand: 'load' }).student;
    const g = new GraphBuilder();
    const values = g.inline(graph, new Map([['ids', g.input('ids', 'int64', [2, 6])]]), 'student');
    const sum = g.reduceSum(values.get('y') as TypedValue, { keepDims: false });
    const [slope] = gradients(g, sum, [values.get('gemm') as TypedValue]);
    g.output(slope as TypedValue, 'y');
    const found = await answers(g.build(), FEEDS);
    // Of y = x W' the gradient of a weight is its input, whatever the weight was rounded to: each output has the same.
    for (let i = 0; i < 40; i++) expect(found[i + 40]).toBeCloseTo(found[i] as number, 5);
    expect(found.some((value) => Math.abs(value) > 1e-3)).toBe(true);
  });
});
