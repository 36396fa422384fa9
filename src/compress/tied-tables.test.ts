import * as ortWeb from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { OrtModule } from '../engine/ort-session.ts';
import { createWebEngine } from '../engine/web.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { parameterCount } from '../onnx/parameter-count.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { collectRanges } from './calibrate.ts';
import { quantizeDynamic } from './quantize-dynamic.ts';
import { quantizeStatic, valuesToCalibrate } from './quantize-static.ts';

const node = createNodeEngine({ threads: 1 });
const web = createWebEngine({ ort: ortWeb as unknown as OrtModule });
const [TOKENS, WIDTH] = [50, 16];

/** ids -> rows of a table -> logits by the same table, as decoders have it. */
function tied(): Graph {
  const random = randomStream(3, 'tied');
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['batch', 'sequence']);
  const table = g.initializer(
    'table',
    float32(
      Float32Array.from({ length: TOKENS * WIDTH }, () => random.normal()),
      [TOKENS, WIDTH],
    ),
  );
  const rows = g.gather(table, ids);
  g.output(g.identity(rows), 'rows');
  g.output(g.gemm(g.reshape(rows, [-1, WIDTH]), table, null, { transB: true }), 'logits');
  return g.build();
}

const feeds = { ids: int64([3, 49, 0, 7, 7, 21], [2, 3]) };
const graph = tied();
const ranges = await collectRanges(graph, valuesToCalibrate(graph), node, [feeds]);
const FORMS: [string, () => Graph][] = [
  ['ranges of a run', () => quantizeDynamic(graph)],
  ['ranges of a run, standard', () => quantizeDynamic(graph, { formulation: 'standard' })],
  ['fixed ranges', () => quantizeStatic(graph, ranges)],
  ['fixed ranges, standard', () => quantizeStatic(graph, ranges, { formulation: 'matmul-integer' })],
];

async function run(model: Graph, engine: Pick<typeof node, 'load'> = node): Promise<Record<string, Tensor>> {
  const session = await engine.load(writeModel(model));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

const largest = (a: Tensor | undefined, b: Tensor | undefined) =>
  Math.max(...(a!.data as Float32Array).map((x, i) => Math.abs(x - (b!.data as Float32Array)[i]!)));
const bytesIn = (model: Graph) => [...model.initializers.values()].filter(({ type }) => type === 'int8');

describe('a table that is looked up and multiplied by', () => {
  it.each(FORMS)('is in the file once, and answers alike on both engines: %s', async (title, make) => {
    const int8 = make();
    expect(bytesIn(int8).map(({ dims }) => dims)).toEqual([[TOKENS, WIDTH]]);
    if (!title.includes('standard')) expect(parameterCount(int8)).toBe(TOKENS * WIDTH);
    const [exact, own] = [await run(graph), await run(int8)];
    // Half a level of 63 of the largest of a row, which is below 4.
    expect(largest(own.rows, exact.rows)).toBeLessThan(4 / 126);
    expect(largest(own.logits, exact.logits)).toBeLessThan(0.6);
    const inPage = await run(int8, web);
    expect(inPage.logits?.dims).toEqual([6, TOKENS]);
    expect(largest(inPage.logits, own.logits)).toBeLessThan(1e-4);
  });

  it('is in it twice where the two have other forms', () => {
    const trained = { activations: new Map(), weights: new Map() };
    expect(bytesIn(quantizeStatic(graph, ranges, { trained }))).toHaveLength(2);
    expect(bytesIn(quantizeStatic(graph, ranges, { weightScales: 'tensor' }))).toHaveLength(2);
    expect(bytesIn(quantizeDynamic(graph, { tableScales: 'column' }))).toHaveLength(2);
  });
});
