import { expect, it } from 'vitest';
import { DATA_TYPE_CODES } from '../data-type.ts';
import type { Graph } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { toBfloat16, toFloat16 } from '../half-float.ts';
import { float32, tensor } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { graphOf, nodeOf, valueNamed } from '../testing/small-graph.ts';
import { halfTypes, toFloat32 } from './to-float32.ts';

/** y = (x * w + 1) in a type of half precision, from its input to its output; w comes from a Constant node. */
function halfGraph(type: 'float16' | 'bfloat16'): Graph {
  const word = type === 'float16' ? toFloat16 : toBfloat16;
  const content = (value: number) => tensor(type, [2], Uint16Array.of(word(value), word(-value)));
  const [x, w, product, one, y] = ['x', 'w', 'product', 'one', 'y'].map((name) =>
    valueNamed(name, type, [2]),
  );
  return graphOf(
    [x!],
    [
      nodeOf('Constant', [], [w!], { value: content(0.5) }),
      nodeOf('Mul', [x!, w!], [product!]),
      nodeOf('Add', [product!, one!], [y!]),
    ],
    [y!],
    [[one!, content(1)]],
  );
}

it.each(['float16', 'bfloat16'] as const)('computes in float32 what a %s model computes', async (type) => {
  const graph = toFloat32(halfGraph(type));
  expect(halfTypes(halfGraph(type))).toEqual([type]);
  expect(halfTypes(graph)).toEqual([]);
  expect([graph.inputs[0]!.type, graph.outputs[0]!.type]).toEqual(['float32', 'float32']);
  const { y } = await runGraph(graph, { x: float32([3, 5]) });
  expect([y!.type, ...y!.data]).toEqual(['float32', 2.5, -3.5]);
});

it('casts to float32 in the middle, and inside the branches of an If', async () => {
  const [x, y] = ['x', 'y'].map((name) => valueNamed(name, 'float32', [2]));
  const positive = valueNamed('positive', 'bool', []);
  const [factor, wide] = [valueNamed('factor', 'float16', []), valueNamed('wide', 'float32', [])];
  const branch = (by: number) => {
    const [half, square] = [valueNamed(`half${by}`, 'float16', []), valueNamed(`square${by}`, 'float16', [])];
    const content = tensor('float16', [], Uint16Array.of(toFloat16(by)));
    const value = graphOf([], [nodeOf('Mul', [half, half], [square])], [square], [[half, content]]);
    return { kind: 'graph' as const, value };
  };
  const graph = toFloat32(
    graphOf(
      [x!, positive],
      [
        nodeOf('If', [positive], [factor], { then_branch: branch(2), else_branch: branch(3) }),
        nodeOf('Cast', [factor], [wide], { to: DATA_TYPE_CODES.float32 }),
        nodeOf('Mul', [x!, wide], [y!]),
      ],
      [y!],
    ),
  );
  expect(halfTypes(graph)).toEqual([]);
  const run = async (truth: number) => {
    const feeds = { x: float32([1, 2]), positive: tensor('bool', [], Uint8Array.of(truth)) };
    return [...(await runGraph(graph, feeds)).y!.data];
  };
  expect(await run(1)).toEqual([4, 8]);
  expect(await run(0)).toEqual([9, 18]);
});

it('leaves other models as they are', () => {
  const g = new GraphBuilder();
  g.output(g.relu(g.input('x', 'float32', [2])));
  const graph = g.build();
  expect(toFloat32(graph)).toBe(graph);
});
