import { expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { layerTimes } from './layer-times.ts';

const g = new GraphBuilder();
g.output(
  g.scope('stem', () => g.relu(g.input('x', 'float32', ['batch', 4]))),
  'y',
);
const graph = g.build();
const [node] = graph.nodes;

const operator = (name: string, dur: number, provider = 'CPUExecutionProvider') =>
  JSON.stringify({ cat: 'Node', name: `${name}_kernel_time`, dur, args: { provider } });
const kernel = (name: string, dur: number) => JSON.stringify({ cat: 'Api', name, dur });

test('times are those of operators, by the nodes that fused ones are named by', () => {
  const profile = [
    '[',
    `${JSON.stringify({ cat: 'Session', name: 'model_run', dur: 99 })},`,
    // The first call is slow: the median counts.
    `${operator(`${node?.name}_nchwc`, 900)},`,
    `${operator(`${node?.name}_nchwc`, 30)},`,
    `${operator(`${node?.name}_nchwc`, 30)},`,
    ...Array.from({ length: 3 }, (_, i) => `${operator(`ReorderOutput_token_${i}`, 10)},`),
    'a line that is no event',
    ']',
  ];
  expect(layerTimes(graph, profile)).toEqual([
    { layer: node?.name, share: 0.75 },
    { layer: 'ReorderOutput', share: 0.25 },
  ]);
});

test('on a graphics card those of its kernels, and of what the processor computes between them', () => {
  const profile = [
    operator(node?.name as string, 1000, 'WebGpuExecutionProvider'),
    kernel(`${node?.name}&Relu&Relu`, 10),
    kernel(`${node?.name}&Relu&Copy`, 20),
    operator('QuantizeLinear_token_3', 10),
  ];
  expect(layerTimes(graph, profile)).toEqual([
    { layer: node?.name, share: 0.75 },
    { layer: 'QuantizeLinear', share: 0.25 },
  ]);
});
