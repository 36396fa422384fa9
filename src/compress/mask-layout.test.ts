import { expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { maskLayout } from './mask-layout.ts';

/** Tokens [batch, sequence] beside an image, with values that may have as many heads, patches or channels as there are tokens. */
function graph() {
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['batch', 'sequence']);
  g.input('mask', 'int64', ['batch', 'sequence']);
  const image = g.input('image', 'float32', ['batch', 4, 6]);
  const tokens = g.gather(g.initializer('table', float32(new Float32Array(64), [8, 8])), ids);
  const heads = g.transpose(g.reshape(tokens, [0, 0, 4, 2]), [0, 2, 1, 3]);
  const values = {
    tokens,
    flat: g.reshape(tokens, [-1, 8]),
    heads,
    mean: g.reduceMean(tokens, { axes: [1], keepDims: false }),
    image,
    patches: g.relu(image),
    patchesTogether: g.reshape(image, [-1, 6]),
  };
  for (const value of Object.values(values)) g.output(value);
  return { graph: g.build(), values };
}

it.each([
  ['tokens', [2, 4, 8], 8],
  ['flat', [8, 8], 8],
  ['heads', [2, 4, 4, 2], undefined],
  ['mean', [2, 8], undefined],
  ['image', [2, 4, 6], undefined],
  ['patches', [2, 4, 6], undefined],
  ['patchesTogether', [8, 6], undefined],
] as const)('%s %j: %s elements of a position among [2, 4]', (name, dims, elements) => {
  const { graph: made, values } = graph();
  expect(maskLayout(made, 'mask', values[name])([2, 4], dims)).toBe(elements);
});

it('compares sizes where the graph does not name them', () => {
  const { graph: made, values } = graph();
  const unnamed = { ...values.tokens, shape: undefined };
  const nodes = made.nodes.map((node) => ({
    ...node,
    outputs: node.outputs.map((value) => (value === values.tokens ? unnamed : value)),
  }));
  expect(maskLayout({ ...made, nodes }, 'mask', unnamed)([2, 4], [2, 4, 8])).toBe(8);
  expect(maskLayout({ ...made, nodes }, 'mask', unnamed)([2, 4], [2, 5, 8])).toBeUndefined();
});
