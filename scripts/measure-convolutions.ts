/**
 * Times formulations of a convolution's gradients on two threads, by shape: `npx tsx scripts/measure-convolutions.ts`.
 * The rules in src/autodiff/rules/convolution-gradients.ts choose by it; docs/measurements-convolution.md keeps a run.
 */
import { loadGraph } from '../src/autodiff/testing/run-graph.ts';
import type { TypedValue } from '../src/onnx/graph.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { lowerDepthwise } from '../src/onnx/passes/lower-depthwise.ts';
import { elementCount, float32 } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

/** A square convolution whose padding keeps the size, up to its stride. */
interface Shape {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly side: number;
  readonly kernel: number;
  readonly stride: number;
  readonly depthwise?: boolean;
}
type Values = { x: TypedValue; w: TypedValue; dy: TypedValue };
type Formulation = (g: GraphBuilder, values: Values, shape: Shape) => TypedValue;

const BATCH = 128;
const square = (inputs: number, outputs: number, side: number, kernel = 3, stride = 1): Shape => ({
  batch: BATCH,
  inputs,
  outputs,
  side,
  kernel,
  stride,
});
const depthwise = (channels: number, side: number, kernel: number, stride = 1): Shape => ({
  ...square(channels, channels, side, kernel, stride),
  batch: 64,
  depthwise: true,
});
const SHAPES: readonly Shape[] = [
  square(1, 32, 28),
  square(32, 32, 28),
  square(64, 64, 14),
  square(128, 128, 7),
  square(3, 16, 64, 3, 2),
  square(32, 64, 28, 3, 2),
  square(64, 128, 14, 3, 2),
  square(32, 64, 28, 1, 2),
  square(16, 72, 16, 1),
  square(24, 88, 8, 1),
  square(240, 40, 4, 1),
  square(96, 576, 2, 1),
  depthwise(16, 32, 3, 2),
  depthwise(72, 16, 3, 2),
  depthwise(88, 8, 3),
  depthwise(240, 4, 5),
  depthwise(576, 2, 5),
];
/** The least of them counts: what else runs on the machine only adds. */
const RUNS = 11;

const places = ({ kernel }: Shape) =>
  Array.from({ length: kernel ** 2 }, (_, i) => [Math.floor(i / kernel), i % kernel] as const);
const attributes = ({ kernel, stride, depthwise, inputs }: Shape) => {
  const pad = (kernel - 1) / 2;
  return {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    group: depthwise ? inputs : 1,
  };
};
const countOf = ({ side, stride }: Shape) => Math.ceil(side / stride);

/** The pixels that each place of the kernel saw; `axes` are the spatial ones. */
function seen(g: GraphBuilder, x: TypedValue, shape: Shape, axes: readonly [number, number]): TypedValue[] {
  const pad = (shape.kernel - 1) / 2;
  const padded = pad ? g.op('Pad', [x, g.ints([pad, pad, pad, pad]), null, g.ints(axes)]) : x;
  const reach = (countOf(shape) - 1) * shape.stride + 1;
  return places(shape).map((at) =>
    g.op('Slice', [
      padded,
      g.ints(at),
      g.ints(at.map((start) => start + reach)),
      g.ints(axes),
      g.ints([shape.stride, shape.stride]),
    ]),
  );
}
const pixelsLast = (g: GraphBuilder, x: TypedValue) => g.transpose(x, [0, 2, 3, 1]);

const INPUT: Record<string, Formulation> = {
  ConvTranspose: (g, { x, w, dy }, shape) => {
    const rest = (shape.side - 1) % shape.stride;
    const padding = { output_padding: [rest, rest] };
    return g.op('ConvTranspose', [dy, w], { ...attributes(shape), ...(x.shape.length > 0 ? padding : {}) });
  },
  'Conv with flipped weights': (g, { w, dy }, shape) => {
    if (shape.stride > 1) throw new Error('stride 1 alone');
    const swapped = shape.depthwise ? w : g.transpose(w, [1, 0, 2, 3]);
    return g.op('Conv', [dy, g.slice(g.slice(swapped, 2, -1, -99, -1), 3, -1, -99, -1)], attributes(shape));
  },
};

const WEIGHT: Record<string, Formulation> = {
  'a product for each place': (g, { x, dy }, shape) => {
    const rows = g.reshape(dy, [0, 0, -1]);
    const products = seen(g, x, shape, [2, 3]).map((part) =>
      g.reduceSum(g.fusedMatMul(rows, g.reshape(part, [0, 0, -1]), { transB: true }), { axes: [0] }),
    );
    return g.concat(products, 0);
  },
  'the same, channels last': (g, { x, dy }, shape) => {
    const rows = g.reshape(pixelsLast(g, dy), [-1, shape.outputs]);
    const products = seen(g, pixelsLast(g, x), shape, [1, 2]).map((part) =>
      g.gemm(rows, g.reshape(part, [-1, shape.inputs]), null, { transA: true }),
    );
    return g.concat(products, 0);
  },
  'one product, channels last': (g, { x, dy }, shape) => {
    const rows = g.reshape(pixelsLast(g, dy), [-1, shape.outputs]);
    const columns = g.concat(seen(g, pixelsLast(g, x), shape, [1, 2]), 3);
    return g.gemm(rows, g.reshape(columns, [-1, shape.inputs * shape.kernel ** 2]), null, { transA: true });
  },
  'Conv with samples as channels': (g, { x, dy }, shape) => {
    const { stride } = shape;
    const swap = (value: TypedValue) => g.transpose(value, [1, 0, 2, 3]);
    const pads = attributes(shape).pads;
    return g.op('Conv', [swap(x), swap(dy)], { dilations: [stride, stride], pads });
  },
};

const DEPTHWISE_WEIGHT: Record<string, Formulation> = {
  'Conv with a group for each channel and sample': (g, { x, dy }, shape) => {
    const { batch, inputs, side, stride } = shape;
    const count = countOf(shape);
    return g.op(
      'Conv',
      [g.reshape(x, [1, batch * inputs, side, side]), g.reshape(dy, [batch * inputs, 1, count, count])],
      { dilations: [stride, stride], pads: attributes(shape).pads, group: batch * inputs },
    );
  },
  'Mul and ReduceSum for each place': (g, { x, dy }, shape) =>
    g.concat(
      seen(g, x, shape, [2, 3]).map((part) => g.reduceSum(g.mul(part, dy), { axes: [0, 2, 3] })),
      0,
    ),
  'Mul and two ReduceSums for each place': (g, { x, dy }, shape) =>
    g.concat(
      seen(g, x, shape, [2, 3]).map((part) =>
        g.reduceSum(g.reduceSum(g.reshape(g.mul(part, dy), [0, 0, -1]), { axes: [2] }), { axes: [0] }),
      ),
      0,
    ),
};

const forward: Formulation = (g, { x, w }, shape) => g.op('Conv', [x, w], attributes(shape));
const FORWARD: Record<string, Formulation> = { Conv: forward };

const random = randomStream(1, 'measure-convolutions');
const normal = (dims: readonly number[]) =>
  float32(
    Array.from({ length: elementCount(dims) }, () => random.normal()),
    dims,
  );

async function milliseconds(shape: Shape, formulation: Formulation, lowered = false): Promise<string> {
  const count = countOf(shape);
  const dims = {
    x: [shape.batch, shape.inputs, shape.side, shape.side],
    w: [shape.outputs, shape.depthwise ? 1 : shape.inputs, shape.kernel, shape.kernel],
    dy: [shape.batch, shape.outputs, count, count],
  };
  const g = new GraphBuilder();
  const values = {
    x: g.input('x', 'float32', dims.x),
    w: g.input('w', 'float32', dims.w),
    dy: g.input('dy', 'float32', dims.dy),
  };
  let result: TypedValue;
  try {
    result = formulation(g, values, shape);
  } catch {
    return '-';
  }
  // A small part of the result, so that copying it out is not measured.
  g.output(g.slice(g.reshape(result, [-1]), 0, 0, 1), 'part');
  const graph = g.build();
  const run = await loadGraph(lowered ? lowerDepthwise(graph) : graph, 2);
  const feeds = { x: normal(dims.x), w: normal(dims.w), dy: normal(dims.dy) };
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await run(feeds);
    times.push(performance.now() - start);
  }
  return Math.min(...times).toFixed(2);
}

for (const shape of SHAPES) {
  const { batch, inputs, outputs, side, kernel, stride } = shape;
  const kind = shape.depthwise ? 'depthwise' : `to ${outputs} channels`;
  console.log(`\n[${batch}, ${inputs}, ${side}, ${side}] ${kind}, ${kernel}x${kernel}, stride ${stride}`);
  const families = { forward: FORWARD, dx: INPUT, dw: shape.depthwise ? DEPTHWISE_WEIGHT : WEIGHT };
  for (const [family, formulations] of Object.entries(families)) {
    for (const [name, formulation] of Object.entries(formulations))
      console.log(
        `  ${family.padEnd(8)} ${name.padEnd(46)} ${(await milliseconds(shape, formulation)).padStart(8)} ms`,
      );
  }
  if (shape.depthwise)
    console.log(
      `  ${'forward'.padEnd(8)} ${'lowerDepthwise'.padEnd(46)} ${(await milliseconds(shape, forward, true)).padStart(8)} ms`,
    );
}
