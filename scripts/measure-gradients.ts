/**
 * Times the formulations among which the gradient rules chose (src/autodiff/), on two threads, and counts the runs
 * whose result differs from the first one's: `npx tsx scripts/measure-gradients.ts`.
 */
import { addRows } from '../src/autodiff/add-rows.ts';
import { loadGraph } from '../src/autodiff/testing/run-graph.ts';
import type { TypedValue } from '../src/onnx/graph.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { float32, int64 } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

const [ROWS, COLUMNS, VOCABULARY, WIDTH, RUNS] = [4096, 512, 8000, 64, 50];
const random = randomStream(1, 'measure-gradients');
const normal = (...dims: number[]) =>
  float32(
    Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.normal()),
    dims,
  );

const feeds = {
  x: normal(ROWS, COLUMNS),
  d: normal(ROWS, COLUMNS),
  rows: normal(ROWS, WIDTH),
  // Few ids are frequent and most are rare, as in text.
  ids: int64(Array.from({ length: ROWS }, () => Math.floor(random.uniform() ** 4 * VOCABULARY))),
};
type Inputs = Record<keyof typeof feeds, TypedValue>;

/** A small part of a large result, so that copying it out is not measured. */
const corner = (g: GraphBuilder, y: TypedValue) => g.slice(y, 0, 0, 1);
const ones = (g: GraphBuilder, ...shape: number[]) => g.expand(g.scalar(1), shape);
const table = (g: GraphBuilder) => g.fill([VOCABULARY, WIDTH], 0);

const FORMULATIONS: Record<string, Record<string, (g: GraphBuilder, inputs: Inputs) => TypedValue>> = {
  'mask of a gradient (Relu, Where, Clip)': {
    'Mul by Cast(Greater)': (g, { x, d }) => corner(g, g.mul(d, g.cast(g.greater(x, 0), 'float32'))),
    'Mul by Sign': (g, { x, d }) => corner(g, g.mul(d, g.sign(x))),
    Where: (g, { x, d }) => corner(g, g.where(g.greater(x, 0), d, 0)),
    'a Mul alone, to compare': (g, { x, d }) => corner(g, g.mul(d, x)),
  },
  'gradient of a bias': {
    'Gemm, row of ones': (g, { d }) => g.gemm(ones(g, 1, ROWS), d),
    'ReduceSum, kept': (g, { d }) => g.reduceSum(d, { axes: [0] }),
    'ReduceSum, dropped': (g, { d }) => g.reduceSum(d, { axes: [0], keepDims: false }),
    'Gemm transA, column of ones': (g, { d }) => g.gemm(d, ones(g, ROWS, 1), null, { transA: true }),
  },
  'mean of a row times a vector (LayerNormalization)': {
    MatMul: (g, { d }) => g.matMul(d, ones(g, COLUMNS, 1)),
    'Mul, ReduceMean': (g, { d, x }) => g.reduceMean(g.mul(d, g.slice(x, 0, 0, 1)), { axes: [1] }),
  },
  'gradient of an embedding': {
    'ScatterElements, add': (g, { ids, rows }) => {
      const at = g.expand(g.unsqueeze(ids, [1]), [ROWS, WIDTH]);
      return g.scatterElements(table(g), at, rows, { reduction: 'add' });
    },
    'ScatterND, add': (g, { ids, rows }) => g.scatterNd(table(g), g.unsqueeze(ids, [1]), rows, 'add'),
    'ScatterND by columns (addRows)': (g, { ids, rows }) =>
      addRows(g, { indices: ids, rows, count: ROWS, width: WIDTH, height: VOCABULARY }),
    'OneHot, Gemm': (g, { ids, rows }) => g.gemm(g.oneHot(ids, VOCABULARY), rows, null, { transA: true }),
  },
};

for (const [purpose, formulations] of Object.entries(FORMULATIONS)) {
  console.log(`\n${purpose}`);
  for (const [name, build] of Object.entries(formulations)) {
    const g = new GraphBuilder();
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([key, { type, dims }]) => [key, g.input(key, type, dims)]),
    );
    g.output(build(g, inputs as Inputs), 'y');
    const run = await loadGraph(g.build(), 2);
    const times: number[] = [];
    let first: Buffer | undefined;
    let differing = 0;
    for (let i = 0; i < (name.startsWith('OneHot') ? 5 : RUNS); i++) {
      const start = performance.now();
      const { y } = await run(feeds);
      times.push(performance.now() - start);
      const bits = Buffer.from((y.data as Float32Array).buffer);
      first ??= Buffer.from(bits);
      if (!first.equals(bits)) differing++;
    }
    times.sort((a, b) => a - b);
    const [least, middle] = [times[0], times[times.length >> 1]].map((ms) => ms.toFixed(2).padStart(8));
    console.log(`  ${name.padEnd(30)} least ${least} ms, median ${middle} ms, ${differing} runs differ`);
  }
}
