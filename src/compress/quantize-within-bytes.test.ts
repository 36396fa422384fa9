import { expect, it } from 'vitest';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { quantizeWithinBytes } from './quantize-within-bytes.ts';

/** What 4 bits cost a layer, and what they save; the last one grows. */
const LAYERS = {
  a: { loss: 0.3, saved: 300 },
  b: { loss: 0.01, saved: 100 },
  c: { loss: 0.02, saved: 400 },
  d: { loss: -0.1, saved: 10 },
  e: { loss: 0, saved: -20 },
};
type Layer = keyof typeof LAYERS;

const graphs = new Map<Graph, readonly string[]>();
function options(maxBytes: number) {
  let evaluations = 0;
  const costOf = (graph: Graph, of: 'loss' | 'saved') =>
    (graphs.get(graph) ?? []).reduce((sum, layer) => sum + LAYERS[layer as Layer][of], 0);
  return {
    layers: Object.keys(LAYERS),
    quantize(fourBit: readonly string[]) {
      const graph = new GraphBuilder().build();
      graphs.set(graph, fourBit);
      return graph;
    },
    evaluate: async (graph: Graph) => {
      evaluations++;
      return 0.9 - costOf(graph, 'loss');
    },
    sizeOf: (graph: Graph) => 1000 - costOf(graph, 'saved'),
    maxBytes,
    evaluations: () => evaluations,
  };
}

it('leaves a graph as it is that fits, without measuring anything', async () => {
  const own = options(1000);
  expect(await quantizeWithinBytes(own)).toMatchObject({ bytes: 1000, fourBit: [], costs: [] });
  expect(own.evaluations()).toBe(0);
});

it('takes the layers first that cost the least for a byte saved, and no more than it has to', async () => {
  // d gains, c costs 5e-5 a byte, b 1e-4, a 1e-3.
  expect((await quantizeWithinBytes(options(995))).fourBit).toEqual(['d']);
  const result = await quantizeWithinBytes(options(500));
  expect(result.fourBit).toEqual(['d', 'c', 'b']);
  expect(result.bytes).toBe(490);
  expect(result.costs.map(({ layer }) => layer)).toEqual(['d', 'c', 'b', 'a']);
  expect(result.costs[1]).toMatchObject({ saved: 400 });
  expect(result.costs[1]?.loss).toBeCloseTo(0.02, 9);
});

it('goes on until what ships is small enough, where that is another file', async () => {
  const own = options(995);
  const shippedSizeOf = async (graph: Graph) => own.sizeOf(graph) + 100;
  const result = await quantizeWithinBytes({ ...own, shippedSizeOf });
  expect(result.fourBit).toEqual(['d', 'c']);
  expect(result.bytes).toBe(690);
});

it('refuses what no form is small enough for, with the bytes of the smallest', async () => {
  await expect(quantizeWithinBytes(options(189))).rejects.toMatchObject({
    code: 'export.too-large',
    message: 'the student takes 1000 bytes in int8 and 190 with 4-bit weights, more than the 189 allowed',
    where: 'export.int8.maxBytes',
  });
  expect((await quantizeWithinBytes(options(190))).fourBit).toHaveLength(4);
});
