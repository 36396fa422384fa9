import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { adversarialDisturbance } from './adversarial-disturbance.ts';
import { tapTeacher } from './tap-teacher.ts';

const [mean, deviation] = [0.5, 0.25];
const normalized = (pixel: number) => (pixel - mean) / deviation;

/** Two classes: logits (x, y^2) of an image with the pixels x and y. */
function teacher() {
  const g = new GraphBuilder();
  const picture = g.input('pixel_values', 'float32', ['batch', 1, 1, 2]);
  const flat = g.op('Flatten', [picture]);
  g.output(g.concat([g.slice(flat, 1, 0, 1), g.square(g.slice(flat, 1, 1, 2))], 1), 'logits');
  return g.build('teacher');
}

async function attack(method: 'fgsm' | 'pgd', pixels: number[]): Promise<number[]> {
  const request = adversarialDisturbance({
    method,
    epsilon: 0.1,
    steps: 4,
    mean: [mean],
    deviation: [deviation],
  });
  const { graph, dims } = tapTeacher(teacher(), [request]);
  expect(dims.get(request.tap)).toEqual([1, 1, 2]);
  const session = await createNodeEngine().load(writeModel(graph));
  const feeds = { pixel_values: float32(pixels.map(normalized), [pixels.length / 2, 1, 1, 2]) };
  const found = await session.run(feeds);
  await session.release();
  return [...found[request.tap].data].map((change) => Number(change) * deviation);
}

it.each(['fgsm', 'pgd'] as const)(
  '%s goes towards the second class, as far as allowed, within black and white',
  async (method) => {
    // First class in the first row (its logits are 1.2 and 0.64): less of x, more of y. The other way round in the second
    // row, where y is nearly white and x nearly black (logits -1.92 and 3.24).
    const moved = await attack(method, [0.8, 0.7, 0.02, 0.95]);
    expect(moved[0]).toBeCloseTo(-0.1, 5);
    expect(moved[1]).toBeCloseTo(0.1, 5);
    expect(moved[2]).toBeCloseTo(0.1, 5);
    expect(moved[3]).toBeCloseTo(-0.1, 5);
    const edge = await attack(method, [0.05, 0.6]);
    // Logits -1.8 and 0.16: the second class leads, more of x and less of y.
    expect(edge[0]).toBeCloseTo(0.1, 5);
    expect(edge[1]).toBeCloseTo(-0.1, 5);
    const black = await attack(method, [0.98, 0.02]);
    // Logits 1.92 and 3.69: towards the first, x grows up to white.
    expect(black[0]).toBeCloseTo(0.02, 5);
  },
);
