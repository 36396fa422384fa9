import { beforeAll, expect, test } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { loadGraph } from '../autodiff/testing/run-graph.ts';
import { createNodeEngine } from '../engine/node.ts';
import { labelsTerm } from '../objectives/cross-entropy.ts';
import type { WeightGradientForm } from '../onnx/blocked/noted-convolution.ts';
import { type ConvolutionForm, convolutionsIn } from '../onnx/formulations.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { bindDims } from '../onnx/passes/bind-dims.ts';
import { blockConvolutions } from '../onnx/passes/block-convolutions.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { elementCount, float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from '../students/build-student.ts';
import { mobilenetV3 } from '../students/mobilenet-v3.ts';
import { resnet } from '../students/resnet.ts';
import type { Student } from '../students/student.ts';
import { adamw } from './adamw.ts';
import { channelBlock } from './calibration/channel-block.ts';
import { compileStep } from './compile-step.ts';

let block = 0;
beforeAll(async () => {
  block = await channelBlock(createNodeEngine({ threads: 1 }));
});

const random = randomStream(3, 'formulations');
const normal = (dims: readonly number[]) =>
  float32(
    Float32Array.from({ length: elementCount(dims) }, () => random.normal()),
    dims,
  );

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const blockedNodes = (graph: Graph, opType: string) =>
  graph.nodes.filter((node) => node.domain === 'com.microsoft.nchwc' && node.opType === opType).length;

const BATCH = 4;

/** Everything that a step puts out after one step on made-up images. */
async function stepOf(
  student: Student,
  size: number,
  form?: ConvolutionForm,
  weightForm?: WeightGradientForm,
) {
  const sizes = { batch: BATCH };
  const options = {
    student,
    sizes,
    terms: [labelsTerm({ weight: 1 })],
    optimizer: adamw({ weightDecay: 0.01 }),
  };
  const keys = [...convolutionsIn(bindDims(student.graph, sizes)).keys()];
  const each = <Form>(one: Form) => Object.fromEntries(keys.map((key) => [key, one]));
  const weightGradients = weightForm && each(weightForm);
  const formulations = form && { block, convolutions: each(form), weightGradients };
  const { graph, carried } = compileStep({ ...options, formulations });
  const feeds: Record<string, Tensor> = {
    pixel_values: imagesOf(size),
    labels: tensor('int32', [BATCH], Int32Array.of(0, 1, 1, 0)),
    row_weights: float32([1, 1, 1, 1], [BATCH]),
    learning_rate: float32([0.1], []),
    step: float32([1], []),
  };
  for (const { spec, initial } of carried)
    feeds[spec.name] = initial ?? float32(new Float32Array(elementCount(spec.dims)), spec.dims);
  return { graph, results: await (await loadGraph(graph))(feeds) };
}

const images = new Map<number, Tensor>();
function imagesOf(size: number): Tensor {
  const known = images.get(size) ?? normal([BATCH, 1, size, size]);
  images.set(size, known);
  return known;
}

const STUDENTS: Record<string, () => [Student, number]> = {
  resnet: () => [
    buildClassifier(
      resnet,
      { width: 16, stages: 2, blocks: 2, bottleneck: false, zeroInit: false },
      { channels: 1, height: 10, width: 10, classes: 2, random: randomStream(1, 'student') },
    ),
    10,
  ],
  // Two samples share a block of 16.
  'narrow resnet': () => [
    buildClassifier(
      resnet,
      { width: 8, stages: 2, blocks: 1, bottleneck: false, zeroInit: false },
      { channels: 1, height: 10, width: 10, classes: 2, random: randomStream(1, 'student') },
    ),
    10,
  ],
  'mobilenet-v3': () => [
    buildClassifier(
      mobilenetV3,
      { size: 'tiny', width: 1, momentum: 0.99 },
      { channels: 1, height: 12, width: 12, classes: 2, random: randomStream(1, 'student') },
    ),
    12,
  ],
};

test.each(Object.keys(STUDENTS))(
  'every form of the convolutions of a %s makes the same step',
  async (name) => {
    if (block === 0) return;
    const [student, size] = (STUDENTS[name] as () => [Student, number])();
    const plain = await stepOf(student, size, 'plain');
    const blocked = await stepOf(student, size, 'blocked');
    const filtering = await stepOf(student, size, 'filtering');
    const matrices = await stepOf(student, size, 'matrices');
    const gradients = await stepOf(student, size, 'blocked', 'columns');
    expect(blockedNodes(plain.graph, 'Conv')).toBe(0);
    expect(blockedNodes(blocked.graph, 'Conv')).toBeGreaterThan(5);
    for (const { results } of [blocked, filtering, matrices, gradients]) {
      expect(Object.keys(results)).toEqual(Object.keys(plain.results));
      // Gradients, by the first moments that AdamW keeps of them; parameters themselves move by their signs.
      for (const [output, { data }] of Object.entries(results)) {
        if (!/^(loss|grad_norm|adamw\/m)|running/.test(output)) continue;
        const wanted = plain.results[output]?.data as Float32Array;
        const scale = Math.max(1e-3, largest(wanted));
        const apart = wanted.map((value, i) => value - Number(data[i]));
        expect(largest(apart) / scale, output).toBeLessThan(2e-3);
      }
    }
  },
);

/** [batch, inputs, rows, columns], outputs, kernel, stride, pads, and groups where there are any. */
const CASES: Record<string, [number[], number, [number, number], number, number[], number?]> = {
  '3x3': [[2, 32, 5, 7], 16, [3, 3], 1, [1, 1, 1, 1]],
  '3x3 with a stride': [[2, 16, 9, 8], 32, [3, 3], 2, [1, 1, 1, 1]],
  '3x3 with a stride, even sides': [[2, 32, 8, 6], 16, [3, 3], 2, [1, 1, 1, 1]],
  '5x4 with a stride of 3': [[2, 16, 10, 11], 16, [5, 4], 3, [1, 2, 2, 1]],
  '2x2 with a stride': [[2, 16, 6, 8], 32, [2, 2], 2, [0, 0, 0, 0]],
  'two samples in a block, with a stride': [[4, 8, 8, 8], 16, [3, 3], 2, [1, 1, 1, 1]],
  'as wide as a block': [[2, 16, 4, 16], 16, [3, 3], 1, [1, 1, 1, 1]],
  'wider than a block': [[2, 3, 4, 18], 16, [3, 3], 1, [1, 1, 1, 1]],
  '1x3 without padding': [[2, 16, 4, 20], 16, [1, 3], 1, [0, 0, 0, 0]],
  '5x2 with uneven padding': [[1, 16, 6, 6], 16, [5, 2], 1, [2, 0, 1, 1]],
  'two samples in a block': [[4, 8, 6, 5], 24, [3, 3], 1, [1, 1, 1, 1]],
  'four samples in a block, with a stride': [[8, 12, 7, 6], 4, [3, 3], 2, [1, 1, 1, 1]],
  'from two in a block to whole ones': [[4, 8, 5, 5], 16, [1, 1], 1, [0, 0, 0, 0]],
  'from whole blocks to two in one': [[4, 16, 5, 5], 8, [3, 3], 1, [1, 1, 1, 1]],
  'a channel alone': [[2, 16, 6, 7], 16, [3, 3], 1, [1, 1, 1, 1], 16],
  'a channel alone, with a stride': [[4, 40, 9, 8], 40, [5, 5], 2, [2, 2, 2, 2], 40],
  'a channel alone, with a rest of the stride': [[2, 16, 8, 8], 16, [3, 3], 2, [0, 0, 0, 0], 16],
  '1x1': [[2, 16, 4, 4], 48, [1, 1], 1, [0, 0, 0, 0]],
};

test.each(Object.keys(CASES))(
  'gradients of a blocked convolution, %s: as the plain ones, and as differences',
  async (name) => {
    if (block === 0) return;
    const [dims, outputs, kernel, stride, pads, group = 1] = CASES[name] as (typeof CASES)[string];
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', dims);
    const w = g.input('w', 'float32', [outputs, (dims[1] as number) / group, ...kernel]);
    const y = g.op('Conv', [x, w], { kernel_shape: kernel, strides: [stride, stride], pads, group });
    const side = g.input('side', 'float32', y.shape);
    const loss = g.reduceSum(g.mul(g.tanh(y), side), { keepDims: false });
    const [dx, dw] = gradients(g, loss, [x, w]) as [TypedValue, TypedValue];
    for (const [value, output] of [
      [loss, 'loss'],
      [dx, 'dx'],
      [dw, 'dw'],
    ] as const)
      g.output(value, output);
    const plain = g.build();
    const formulations = {
      block,
      convolutions: Object.fromEntries([...convolutionsIn(plain).keys()].map((k) => [k, 'blocked' as const])),
    };
    const blocked = removeDeadNodes(blockConvolutions(plain, formulations));
    expect(blockedNodes(blocked, 'Conv')).toBeGreaterThan(1);
    expect(blocked.nodes.some(({ opType }) => opType === 'ConvTranspose')).toBe(false);
    const weights = (normal(w.shape as number[]).data as Float32Array).map((value) => value / 8);
    const feeds = {
      x: normal(dims),
      w: float32(weights, w.shape as number[]),
      side: normal(y.shape as number[]),
    };
    const [asPlain, asBlocked] = [await loadGraph(plain), await loadGraph(blocked)];
    const [wanted, found] = [await asPlain(feeds), await asBlocked(feeds)];
    for (const output of ['loss', 'dx', 'dw']) {
      const [a, b] = [wanted[output]?.data as Float32Array, found[output]?.data as Float32Array];
      expect(b.length).toBe(a.length);
      a.forEach((value, i) => {
        expect(Math.abs((b[i] as number) - value)).toBeLessThan(2e-4 * (1 + Math.abs(value)));
      });
    }
    const at = [0, (w.shape as number[]).reduce((p, n) => p * n, 1) - 1];
    for (const place of at) {
      const moved = async (by: number) => {
        const data = weights.slice();
        data[place] = (data[place] as number) + by;
        return Number((await asBlocked({ ...feeds, w: { ...feeds.w, data } })).loss?.data[0]);
      };
      const slope = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
      const gradient = Number(found.dw?.data[place]);
      expect(Math.abs(slope - gradient)).toBeLessThan(2e-2 * (1 + Math.abs(gradient)));
    }
  },
);

test('an engine without blocked kernels has blocks of 0 channels', async () => {
  const none = {
    ...createNodeEngine({ threads: 1 }),
    load: () => Promise.reject(new Error('no such operator')),
  };
  expect(await channelBlock(none)).toBe(0);
});
