import { describe, expect, it } from 'vitest';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { createNodeEngine } from './node.ts';

// A resumed run ends in the bits of one that was never stopped: for that, equal inputs must give equal bits, with
// several threads, and in a new session. This holds for the operators that training steps are made of.

const ROWS = 1024;
const WIDTH = 64;
const VOCABULARY = 8000;
const random = randomStream(1, 'determinism');
const normal = (...dims: number[]) => {
  const size = dims.reduce((a, b) => a * b, 1);
  return float32(
    Float32Array.from({ length: size }, () => random.normal()),
    dims,
  );
};
/** Ids as texts have them: few of them are most of the text. */
const ids = int64(Array.from({ length: ROWS }, () => Math.floor(random.uniform() ** 4 * VOCABULARY)));
const feeds: Record<string, Tensor> = { x: normal(ROWS, WIDTH), w: normal(WIDTH, WIDTH), ids };

type Build = (g: GraphBuilder, x: TypedValue, w: TypedValue, ids: TypedValue) => TypedValue;
const sumOfRowsById: Build = (g, x, _, index) =>
  g.scatterElements(g.fill([VOCABULARY, WIDTH], 0), g.expand(g.unsqueeze(index, [1]), [ROWS, WIDTH]), x, {
    axis: 0,
    reduction: 'add',
  });

const cases: [string, Build][] = [
  ['MatMul', (g, x, w) => g.matMul(x, w)],
  ['Gemm of a transposed', (g, x) => g.gemm(x, x, null, { transA: true })],
  ['FusedMatMul', (g, x, w) => g.fusedMatMul(x, w, { transB: true })],
  ['ReduceSum of all', (g, x) => g.reduceSum(x)],
  ['ReduceSum of rows', (g, x) => g.reduceSum(x, { axes: [0] })],
  ['ReduceMean of columns', (g, x) => g.reduceMean(x, { axes: [1] })],
  ['ReduceSumSquare', (g, x) => g.reduceSumSquare(x)],
  ['Softmax', (g, x) => g.softmax(x)],
  [
    'LayerNormalization',
    (g, x, w) => {
      const scale = g.reduceSum(w, { axes: [0], keepDims: false });
      return g.layerNormalization(x, scale, scale);
    },
  ],
  ['Erf', (g, x) => g.erf(x)],
  ['ScatterElements with add', sumOfRowsById],
];

describe('ONNX Runtime on the CPU', () => {
  it.each(cases)('gives the same bits again: %s', async (_, build) => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [ROWS, WIDTH]);
    const w = g.input('w', 'float32', [WIDTH, WIDTH]);
    const index = g.input('ids', 'int64', [ROWS]);
    g.output(build(g, x, w, index), 'y');
    const model = writeModel(g.build());
    const engine = createNodeEngine({ threads: 2 });
    let first: Buffer | undefined;
    for (let sessions = 0; sessions < 2; sessions++) {
      const session = await engine.load(model);
      for (let run = 0; run < 5; run++) {
        const { y } = await session.run(feeds);
        const { buffer, byteOffset, byteLength } = (y as Tensor).data as Float32Array;
        const bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
        first ??= Buffer.from(bytes);
        expect(bytes.equals(first)).toBe(true);
      }
      await session.release();
    }
  });

  it('adds rows by id exactly as a loop does, in the order of the rows', async () => {
    const expected = new Float32Array(VOCABULARY * WIDTH);
    const rows = feeds.x?.data as Float32Array;
    (ids.data as BigInt64Array).forEach((id, row) => {
      for (let i = 0; i < WIDTH; i++) {
        const at = Number(id) * WIDTH + i;
        expected[at] = (expected[at] as number) + (rows[row * WIDTH + i] as number);
      }
    });
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [ROWS, WIDTH]);
    const index = g.input('ids', 'int64', [ROWS]);
    g.output(sumOfRowsById(g, x, x, index), 'y');
    const session = await createNodeEngine({ threads: 2 }).load(writeModel(g.build()));
    // ScatterND with reduction=add is parallel and loses additions here (microsoft/onnxruntime issue 23396): with
    // 4,096 rows and 2 threads, 77 of 200 runs were wrong. ScatterElements is sequential.
    for (let run = 0; run < 10; run++) {
      const { y } = await session.run({ x: feeds.x as Tensor, ids });
      expect(
        Buffer.from(((y as Tensor).data as Float32Array).buffer as ArrayBuffer).equals(
          Buffer.from(expected.buffer),
        ),
      ).toBe(true);
    }
    await session.release();
  });
});
