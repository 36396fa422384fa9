import { beforeAll, expect, it } from 'vitest';
import { loadGraph } from '../../autodiff/testing/run-graph.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { channelBlock } from '../../train/calibration/channel-block.ts';
import { fromBlocks, toBlocks } from '../blocked/kernels.ts';
import type { TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { elementCount, float32 } from '../tensor.ts';
import { operatorsOf } from '../testing/small-graph.ts';
import { channelsLast } from './channels-last.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';

let block = 0;
beforeAll(async () => {
  block = await channelBlock(createNodeEngine({ threads: 1 }));
});

const CHANNELS_LAST = [0, 2, 3, 1];
const LARGE = [16, 64, 16, 17];

type Build = (g: GraphBuilder, x: TypedValue) => TypedValue;
const transposed: Build = (g, x) => g.transpose(x, CHANNELS_LAST);

function model(dims: readonly number[], build: Build) {
  const g = new GraphBuilder();
  g.output(build(g, g.input('x', 'float32', dims)), 'y');
  return g.build();
}

const CASES: [string, number[], Build][] = [
  ['a large image', LARGE, transposed],
  ['what comes from blocks', [2, 32, 3, 5], (g, x) => transposed(g, fromBlocks(g, toBlocks(g, x)))],
];

it.each(CASES)('reorders %s, with the same result', async (_, dims, build) => {
  if (block === 0) return;
  const graph = model(dims, build);
  const reordered = removeDeadNodes(channelsLast(graph, block));
  expect(operatorsOf(reordered).filter((name) => name !== 'Identity')).toEqual([
    'ReorderInput',
    'ReorderOutput',
  ]);
  const x = float32(
    Float32Array.from({ length: elementCount(dims) }, (_, i) => i),
    dims,
  );
  const [wanted, found] = await Promise.all(
    [graph, reordered].map(async (one) => (await loadGraph(one))({ x })),
  );
  expect(found!.y!.dims).toEqual(wanted!.y!.dims);
  // Compared as bytes: a matcher walks through 280,000 numbers for seconds.
  const bytes = (data: ArrayBufferView) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  expect(bytes(found!.y!.data as Float32Array).equals(bytes(wanted!.y!.data as Float32Array))).toBe(true);
});

it.each<[string, number[], Build]>([
  ['small images', [2, 32, 3, 5], transposed],
  ['channels that are no whole blocks', [16, 65, 16, 17], transposed],
  ['other transposes', LARGE, (g, x) => g.transpose(x, [0, 3, 1, 2])],
  ['numbers of 64 bits', LARGE, (g, x) => transposed(g, g.cast(x, 'float64'))],
])('leaves %s', (_, dims, build) => {
  const graph = model(dims, build);
  expect(operatorsOf(channelsLast(graph, 16))).toEqual(operatorsOf(graph));
});

it('leaves all where ONNX Runtime has no blocks', () => {
  const graph = model(LARGE, transposed);
  expect(channelsLast(graph, 0)).toBe(graph);
});
