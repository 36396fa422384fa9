import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { subPixelConvolutions } from './sub-pixel-convolutions.ts';
import { randomTensor } from './testing/random-tensor.ts';

const engine = createNodeEngine({ threads: 1 });

interface Layer {
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly pads?: readonly number[] | undefined;
  readonly outputPadding?: readonly number[] | undefined;
  readonly dilation?: number;
  readonly group?: number;
  readonly relu?: boolean;
  readonly size?: readonly [number | string, number | string];
}

function transposed({
  kernel,
  stride,
  pads,
  outputPadding,
  dilation = 1,
  group = 1,
  relu = false,
  size = [5, 4],
}: Layer): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4, ...size]);
  const w = g.initializer('w', randomTensor('w', [4, 3, ...kernel]));
  const b = g.initializer('b', randomTensor('b', [3 * group]));
  const attributes = {
    strides: [stride, stride],
    dilations: [dilation, dilation],
    group,
    pads,
    output_padding: outputPadding,
  };
  const y = g.op('ConvTranspose', [x, w, b], attributes);
  g.output(relu ? (stride > 1 ? g.relu(y) : g.clip(y, 0, 0.5)) : y, 'y');
  return g.build();
}

async function answer(graph: Graph): Promise<Tensor> {
  const session = await engine.load(writeModel(graph));
  try {
    return (await session.run({ x: randomTensor('x', [2, 4, 5, 4]) })).y as Tensor;
  } finally {
    await session.release();
  }
}

async function expectSame(layer: Layer): Promise<void> {
  const graph = transposed(layer);
  const rewritten = subPixelConvolutions(graph);
  expect(rewritten.nodes.map(({ opType }) => opType)).not.toContain('ConvTranspose');
  const [own, other] = [await answer(graph), await answer(rewritten)];
  expect(other.dims).toEqual(own.dims);
  (own.data as Float32Array).forEach((value, i) => {
    expect(other.data[i]).toBeCloseTo(value, 5);
  });
}

test('a transposed convolution answers the same as a convolution whose channels become pixels', async () => {
  const layer = fc
    .record({
      kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
      stride: fc.integer({ min: 1, max: 3 }),
      group: fc.constantFrom(1, 2),
      relu: fc.boolean(),
      pads: fc.tuple(...([0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 })) as never[])),
      beyond: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
    })
    .map(({ beyond, ...rest }) => ({
      ...rest,
      outputPadding: beyond.map((more) => Math.min(more, rest.stride - 1)),
    }))
    .filter(({ kernel, stride, pads, outputPadding }) =>
      [0, 1].every(
        (axis) =>
          (([5, 4][axis] as number) - 1) * stride +
            (kernel[axis] as number) +
            (outputPadding[axis] as number) >
          (pads[axis] as number) + (pads[axis + 2] as number),
      ),
    );
  await fc.assert(
    fc.asyncProperty(layer, (one) => expectSame(one as Layer)),
    { numRuns: 12 },
  );
});

test('sizes may be open, and dilations go with a stride of 1', async () => {
  await expectSame({ kernel: [4, 4], stride: 2, pads: [1, 1, 1, 1], size: ['height', 'width'] });
  await expectSame({ kernel: [3, 2], stride: 1, dilation: 2, pads: [1, 0, 1, 0] });
});

test('a kernel of the stride needs no cropping, and its weights keep their name', () => {
  const { nodes, initializers, outputs } = subPixelConvolutions(transposed({ kernel: [2, 2], stride: 2 }));
  expect(nodes.map(({ opType }) => opType)).toEqual(['Conv', 'DepthToSpace', 'Identity']);
  expect([...initializers.keys()].map(({ name, shape }) => [name, shape])).toEqual([
    ['w', [12, 4, 1, 1]],
    ['b', [12]],
  ]);
  expect(outputs[0]?.shape).toEqual(['batch', 3, 10, 8]);
});

test('what has no such form stays as it is', () => {
  const dilated = transposed({ kernel: [3, 3], stride: 2, dilation: 2 });
  expect(subPixelConvolutions(dilated)).toBe(dilated);
  // It would have a thousand times as many weights.
  const huge = transposed({ kernel: [2, 2], stride: 64 });
  expect(subPixelConvolutions(huge)).toBe(huge);
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4, 5, 5]);
  g.output(g.op('ConvTranspose', [x, g.input('w', 'float32', [4, 3, 2, 2])]), 'y');
  const unknown = g.build();
  expect(subPixelConvolutions(unknown)).toBe(unknown);
});
