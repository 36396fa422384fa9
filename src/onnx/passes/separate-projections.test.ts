import { expect, test } from 'vitest';
import type { Graph, TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, toNumbers } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { torchvisionVit } from '../testing/torchvision-vit.ts';
import { plainReshapes } from './plain-reshapes.ts';
import { separateProjections } from './separate-projections.ts';

const wave = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(i));

/** The shapes of the matrices that values are multiplied with. */
const matrices = ({ nodes, initializers }: Graph) =>
  nodes.flatMap(({ opType, inputs: [, weight] }) => {
    const dims = opType === 'MatMul' && weight ? initializers.get(weight)?.dims : undefined;
    return dims ? [dims.join('x')] : [];
  });

test('one product for queries, keys and values becomes three, with the same answers', async () => {
  const graph = plainReshapes(torchvisionVit({ layers: 1 }));
  const separate = separateProjections(graph);
  expect(matrices(graph)).toEqual(['8x24', '8x16', '16x8']);
  expect(matrices(separate)).toEqual(['8x8', '8x8', '8x8', '8x16', '16x8']);
  const pixels = { pixel_values: float32(wave(3 * 192), [3, 3, 8, 8]) };
  const [before, after] = [await runGraph(graph, pixels), await runGraph(separate, pixels)];
  toNumbers(before.logits as never).forEach((value, i) => {
    expect(toNumbers(after.logits as never)[i]).toBeCloseTo(value, 5);
  });
});

/** Queries, keys and values as timm takes them apart, and what is made of them. */
function timm(split: boolean): Graph {
  const g = new GraphBuilder(17);
  const x = g.input('x', 'float32', ['batch', 'tokens', 4]);
  const all = g.matMul(x, g.initializer('qkv', float32(wave(4 * 12), [4, 12])));
  const apart = g.transpose(g.reshape(all, [0, -1, 3, 2, 2]), [2, 0, 3, 1, 4]);
  const [q, k, v] = (
    split
      ? g
          .node('Split', [apart, g.ints([1, 1, 1])], { axis: 0 }, { outputs: 3 })
          .map((part) => g.squeeze(part, [0]))
      : [0, 1, 2].map((i) => g.gather(apart, g.scalar(i, 'int64'), 0))
  ) as [TypedValue, TypedValue, TypedValue];
  g.output(g.matMul(g.op('Softmax', [g.matMul(q, g.transpose(k, [0, 1, 3, 2]))], { axis: -1 }), v), 'y');
  return g.build();
}

test.each([false, true])(
  'so it does where the batch comes first, as timm has it (split: %s)',
  async (split) => {
    const graph = timm(split);
    const separate = separateProjections(graph);
    expect(matrices(separate)).toEqual(['4x4', '4x4', '4x4']);
    const x = { x: float32(wave(2 * 5 * 4), [2, 5, 4]) };
    const [before, after] = [await runGraph(graph, x), await runGraph(separate, x)];
    toNumbers(before.y as never).forEach((value, i) => {
      expect(toNumbers(after.y as never)[i]).toBeCloseTo(value, 5);
    });
  },
);

test('what moves otherwise stays as it is', () => {
  const g = new GraphBuilder(17);
  const x = g.input('x', 'float32', ['batch', 'tokens', 4]);
  const all = g.matMul(x, g.initializer('qkv', float32(wave(4 * 12), [4, 12])));
  // Heads lie inside of each other.
  const apart = g.transpose(g.reshape(all, [0, -1, 2, 2, 3]), [4, 0, 2, 1, 3]);
  g.output(g.gather(apart, g.scalar(1, 'int64'), 0), 'y');
  expect(matrices(separateProjections(g.build()))).toEqual(['4x12']);
});
