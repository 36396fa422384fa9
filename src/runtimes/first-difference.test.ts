import { expect, test } from 'vitest';
import { attachExits } from '../compress/exits/attach-exits.ts';
import { exitOptions } from '../compress/exits/exit-options.ts';
import { withConditions } from '../compress/exits/with-conditions.ts';
import { foldedGraph } from '../compress/folded-student.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { readModel } from '../onnx/read-model.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { firstDifference } from './first-difference.ts';
import type { Feeds } from './measurement.ts';

const engine = createNodeEngine({ threads: 1 });
const random = randomStream(1, 'first difference');
const student = buildClassifier(resnet, resnet.options.parse({ width: 4, stages: 2, blocks: 1 }), {
  channels: 1,
  height: 8,
  width: 8,
  classes: 3,
  random,
});
const place = { where: 'compress[0]', outputs: ['logits'], random: () => random };
const exits = attachExits(student, exitOptions.parse({ after: [1] }), place);
// Of a confidence of more than 1 nobody is: the branch behind the exit is taken.
const graph = readModel(writeModel(withConditions(foldedGraph(exits), [1.5])), { title: 'with exits' });
const feeds = {
  pixel_values: float32(
    Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
    [1, 1, 8, 8],
  ),
};

/** A second runtime that computes the same but for some values, which it makes half as large again. */
const apart = (names: readonly string[]) => async (model: Uint8Array) => {
  const session = await engine.load(model);
  const ours = await session.run(feeds);
  await session.release();
  const others = Object.entries(ours).map(([name, value]): [string, Tensor] => {
    if (!names.includes(name)) return [name, value];
    return [name, { ...value, data: (value.data as Float32Array).map((number) => 1.5 * number) } as Tensor];
  });
  return [ours, Object.fromEntries(others)] as readonly [Feeds, Feeds];
};

const branching = graph.nodes.find(({ opType }) => opType === 'If')!;
const [result] = branching.outputs.map((value) => value!.name);
const behind = (branching.attributes.get('else_branch') as { readonly value: Graph }).value;
const convolution = behind.nodes.find(({ opType }) => opType === 'Conv')!;
const inner = convolution.outputs[0]!.name;

test('the first value that differs is found among all, also behind an exit', async () => {
  const found = await firstDifference(graph, feeds, apart([inner, result as string, 'logits']));
  expect(found).toMatchObject({ operator: 'Conv', value: inner, node: convolution.name });
  expect(found?.difference).toBeGreaterThan(0);
  const outer = graph.nodes.find(({ opType }) => opType === 'Conv')!.outputs[0]!.name;
  expect(await firstDifference(graph, feeds, apart([outer, inner]))).toMatchObject({ value: outer });
});

test('a branch of which nothing differs on its own is told as a whole, and a model of which nothing does is not', async () => {
  expect(await firstDifference(graph, feeds, apart([result as string]))).toMatchObject({
    operator: 'If',
    value: result,
  });
  expect(await firstDifference(graph, feeds, apart([]))).toBeUndefined();
});
