import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { readModel } from '../onnx/read-model.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import { trainedTensors } from '../train/step-graph.ts';
import { fakeBlocks } from './fake-blocks.ts';
import { keptQuantization, withQuantization } from './kept-quantization.ts';
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

/** What a training changes, with learnt steps as after some of it. */
function trainedFor({ student: fake }: ReturnType<typeof fakeBlocks>): Map<string, Tensor> {
  const stream = randomStream(9, 'steps');
  return new Map(
    [...trainedTensors(fake)].map(([name, value]) => {
      if (!name.endsWith('/change')) return [name, value];
      const changes = Float32Array.from(value.data as Float32Array, () => 1.2 * stream.uniform() - 0.6);
      return [name, float32(changes, value.dims)];
    }),
  );
}

const contentsIn = (tensors: ReadonlyMap<string, Tensor>) =>
  new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array]));

/** A table whose rows are looked up and multiplied with, of 46 columns: blocks of 23, or of 32 and 14. */
function tied(): Student {
  const g = new GraphBuilder();
  const table = g.initializer('table', random('table', [200, 46]));
  const sums = g.reduceSum(g.op('Gather', [table, g.input('ids', 'int64', ['batch', 6])]), {
    axes: [1],
    keepDims: false,
  });
  g.output(g.op('Gemm', [sums, table], { transB: 1 }), 'y');
  return { graph: g.build(), parameters: ['table'] };
}

describe('a training with weights of 4 bits', () => {
  it.each([
    ['load', 'observed', student],
    ['run', 'observed', student],
    ['load', 'learnt', student],
    ['run', 'learnt', student],
    ['load', 'learnt', tied],
    ['run', 'learnt', tied],
  ] as const)(
    'computes what ONNX Runtime computes of the file (expand: %s, steps: %s, %o)',
    async (expand, steps, make) => {
      const own = make();
      const fake = fakeBlocks(own, { block: 32, expand }, steps);
      const forward = compileForward(fake.student, { batch: 2 }, ['y']);
      const tensors = trainedFor(fake);
      const trained = await answers(forward, { ...Object.fromEntries(tensors), ...FEEDS });
      const kept = { block: 32, expand, steps: fake.steps(contentsIn(tensors)) } as const;
      // As a file keeps it.
      const told = readModel(
        writeModel(
          withQuantization(own.graph, { activations: new Map(), weights: new Map(), fourBit: kept }),
        ),
      );
      const form = { block: 32, expand, zeroPoints: false } as const;
      const quantized = quantizeWeights(told, form);
      const file = await answers(quantized, FEEDS);
      const most = Math.max(...file.map(Math.abs));
      expect(Math.max(...trained.map((value, i) => Math.abs(value - (file[i] as number))))).toBeLessThan(
        1e-5 * most,
      );
      expect(keptQuantization(quantized)).toBeUndefined();
      // Not what the file is without the training, nor what float32 gives.
      for (const other of [quantizeWeights(own.graph, form), own.graph]) {
        const off = (await answers(other, FEEDS)).map((value, i) => Math.abs(value - (file[i] as number)));
        expect(Math.max(...off)).toBeGreaterThan(1e-3 * most);
      }
    },
  );

  it.each(['load', 'run'] as const)(
    'with learnt steps begins as the file without a training (expand: %s)',
    async (expand) => {
      const own = student();
      const fake = fakeBlocks(own, { block: 32, expand }, 'learnt').student;
      const forward = compileForward(fake, { batch: 2 }, ['y']);
      const first = await answers(forward, { ...Object.fromEntries(trainedTensors(fake)), ...FEEDS });
      const file = await answers(quantizeWeights(own.graph, { block: 32, expand, zeroPoints: false }), FEEDS);
      file.forEach((value, i) => {
        expect(first[i]).toBeCloseTo(value, 3);
      });
    },
  );

  it.each(['load', 'run'] as const)(
    'has gradients of learnt steps and weights that are finite differences of straight-through rounding (expand: %s)',
    async (expand) => {
      const [rows, inner, width] = [3, 40, 70];
      const weights = random('gemm', [width, inner]);
      const [x, k] = [random('x', [rows, inner]), random('k', [rows, width])];
      const g = new GraphBuilder();
      g.output(
        g.op('Gemm', [g.input('x', 'float32', ['batch', inner]), g.initializer('w', weights)], { transB: 1 }),
        'y',
      );
      const fake = fakeBlocks({ graph: g.build(), parameters: ['w'] }, { block: 32, expand }, 'learnt');
      const tensors = trainedFor(fake);
      const change = [...tensors.keys()].find((name) => name.endsWith('/change')) as string;
      const [key, steps] = [...(fake.steps(contentsIn(tensors)) ?? [])][0] as [string, Float32Array];
      const block = Number(/\d+$/.exec(key)?.[0]);
      const blocks = Math.ceil(inner / block);

      const loss = new GraphBuilder();
      const bound = new Map([
        ...[...tensors].map(([name, { dims }]) => [name, loss.input(name, 'float32', dims)] as const),
        ['x', loss.input('x', 'float32', [rows, inner])] as const,
      ]);
      const values = loss.inline(withInputs(fake.student.graph, bound), bound, 'student');
      const sum = loss.reduceSum(
        loss.mul(loss.input('k', 'float32', [rows, width]), values.get('y') as TypedValue),
        { keepDims: false },
      );
      const found = gradients(loss, sum, [bound.get('w') as TypedValue, bound.get(change) as TypedValue]);
      loss.output(found[0] as TypedValue, 'dw');
      loss.output(found[1] as TypedValue, 'y');
      const session = await engine.load(writeModel(loss.build()));
      const { dw, y } = await session.run({ ...Object.fromEntries(tensors), x, k });
      await session.release();

      // d loss / d rounded weight, and the surrogate: what rounding adds to a place stays as it is.
      const slope = (output: number, input: number) =>
        Array.from(
          { length: rows },
          (_, r) => (k.data[r * width + output] as number) * (x.data[r * inner + input] as number),
        ).reduce((all, one) => all + one, 0);
      const clipped = (place: number) => Math.min(7, Math.max(-8, place));
      const surrogate = (weight: number, step: number, [w, s]: readonly [number, number]) => {
        const within = clipped(w / s);
        return step * (clipped(weight / step) + Math.round(within) - within);
      };
      const by = 1e-5;
      const ofSteps = new Float64Array(steps.length);
      let beyond = 0;
      for (let i = 0; i < width * inner; i++) {
        const [output, input] = [Math.floor(i / inner), i % inner];
        const at = output * blocks + Math.floor(input / block);
        const own = [weights.data[i] as number, steps[at] as number] as const;
        const [w, s] = own;
        const to = slope(output, input);
        const [up, down] = [surrogate(w + by, s, own), surrogate(w - by, s, own)];
        const byWeight = (up - down) / (2 * by);
        if (Math.abs(w / s) > 8) beyond++;
        expect(dw?.data[i]).toBeCloseTo(to * byWeight, 3);
        const [wide, narrow] = [surrogate(w, s * (1 + by), own), surrogate(w, s * (1 - by), own)];
        // By the factor that is trained: first * (1 + change), and a part of its gradient.
        const factor = 1 + (tensors.get(change)?.data[at] as number);
        ofSteps[at] =
          (ofSteps[at] as number) + (to * (wide - narrow)) / (2 * by) / factor / Math.sqrt(block * 7);
      }
      expect(beyond).toBeGreaterThan(10);
      ofSteps.forEach((value, at) => {
        expect(y?.data[at]).toBeCloseTo(value, 3);
      });
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

/** A graph whose constants of these names are inputs. */
function withInputs(graph: Graph, bound: ReadonlyMap<string, TypedValue>): Graph {
  const inputs = [...bound.values()].map(({ name, type, shape }) => ({ name, type, shape }));
  const byName = new Map(inputs.map((value) => [value.name, value]));
  return {
    ...graph,
    inputs,
    initializers: new Map([...graph.initializers].filter(([{ name }]) => !bound.has(name))),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((value) => (value && byName.get(value.name)) ?? value),
    })),
  };
}
