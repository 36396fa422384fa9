import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { addRows } from './add-rows.ts';
import { loadGraph } from './testing/run-graph.ts';

const random = randomStream(1, 'add-rows');

interface Shape {
  readonly count: number;
  readonly width: number;
  readonly height: number;
}

/** The table by addRows, its operators, and the table by a loop in float32. */
async function bothTables({ count, width, height }: Shape, ids: readonly number[]) {
  const g = new GraphBuilder();
  const indices = g.input('ids', 'int64', [count]);
  const rows = g.input('rows', 'float32', [count, width]);
  g.output(addRows(g, { indices, rows, count, width, height }), 'table');
  const graph = g.build();
  const run = await loadGraph(graph, 4);
  const values = Float32Array.from({ length: count * width }, () => random.normal());
  const expected = new Float32Array(height * width);
  ids.forEach((id, row) => {
    const to = (id < 0 ? id + height : id) * width;
    for (let j = 0; j < width; j++) expected[to + j]! += values[row * width + j]!;
  });
  const feeds = { ids: int64([...ids]), rows: float32(values, [count, width]) };
  return { run: async () => (await run(feeds)).table!.data as Float32Array, expected, graph };
}

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
const sameBits = (a: Float32Array, b: Float32Array) => bytes(a).equals(bytes(b));

const operators = (graph: { readonly nodes: readonly { readonly opType: string }[] }, type: string) =>
  graph.nodes.filter(({ opType }) => opType === type).length;

describe('rows that are added to a table', () => {
  const cases: [string, Shape, number, string][] = [
    ['few, at once', { count: 300, width: 16, height: 50 }, 1, 'ScatterND'],
    ['many, a few columns at a time', { count: 4096, width: 70, height: 512 }, 3, 'ScatterND'],
    ['as many as one thread takes', { count: 100_000, width: 1, height: 3 }, 1, 'ScatterND'],
    ['more than that', { count: 100_001, width: 1, height: 3 }, 1, 'ScatterElements'],
    ['few for a large table', { count: 200, width: 512, height: 2000 }, 1, 'ScatterElements'],
  ];
  it.each(cases)('%s', async (_, shape, nodes, operator) => {
    const ids = Array.from({ length: shape.count }, (_, i) =>
      i % 7 === 0 ? -1 : Math.floor(random.uniform() ** 4 * shape.height),
    );
    const { run, expected, graph } = await bothTables(shape, ids);
    expect(operators(graph, operator)).toBe(nodes);
    expect(sameBits(await run(), expected)).toBe(true);
  });

  it('loses none on four threads when all go to the same row', async () => {
    for (const shape of [
      { count: 100_000, width: 1, height: 2 },
      { count: 1562, width: 640, height: 300 },
    ]) {
      const { run, expected } = await bothTables(shape, new Array(shape.count).fill(1));
      for (let i = 0; i < 25; i++) expect(sameBits(await run(), expected)).toBe(true);
    }
  });
});
