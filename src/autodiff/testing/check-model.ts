import { createNodeEngine } from '../../engine/node.ts';
import type { Graph } from '../../onnx/graph.ts';
import { type Tensor, toNumbers } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { randomStream } from '../../random.ts';
import { differentiateModel } from '../differentiate-model.ts';

const engine = createNodeEngine({ threads: 1 });

/** The central difference of fourth order. */
const STENCIL = [
  { steps: -2, factor: 1 / 12 },
  { steps: -1, factor: -8 / 12 },
  { steps: 1, factor: 8 / 12 },
  { steps: 2, factor: -1 / 12 },
];

/** Runs a model and returns its outputs as numbers. */
export async function runModel(
  model: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, number[]>> {
  const session = await engine.load(writeModel(model));
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(model.outputs.map(({ name }) => [name, toNumbers(results[name] as Tensor)]));
  } finally {
    await session.release();
  }
}

/** The gradients of a model's `loss` by what is fed, as numbers by name. */
export async function modelGradients(
  model: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  wrt: readonly string[],
): Promise<Record<string, number[]>> {
  const { graph } = differentiateModel(model, { loss: 'loss', wrt });
  const results = await runModel(graph, feeds);
  return Object.fromEntries(wrt.map((name) => [name, results[`grad/${name}`] ?? []]));
}

/**
 * Compares the gradients of a model's `loss` with differences of what ONNX Runtime makes of the model itself, fused as it
 * stands: along a random direction for each float32 input.
 */
export async function checkModelGradients(
  model: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  wrt: readonly string[],
  { step = 2e-2, tolerance = 2e-3 } = {},
): Promise<void> {
  const found = await modelGradients(model, feeds, wrt);
  const session = await engine.load(writeModel(model));
  const random = randomStream(1, 'check-model');
  for (const name of wrt) {
    const tensor = feeds[name] as Tensor;
    const direction = Array.from({ length: tensor.data.length }, () => random.normal());
    let difference = 0;
    for (const { steps, factor } of STENCIL) {
      const data = Float32Array.from(
        tensor.data as Float32Array,
        (value, i) => value + steps * step * direction[i],
      );
      const { loss } = await session.run({ ...feeds, [name]: { ...tensor, data } });
      difference += (factor * toNumbers(loss as Tensor)[0]) / step;
    }
    const exact = direction.reduce((sum, along, i) => sum + along * found[name][i], 0);
    const error = Math.abs(exact - difference) / Math.max(1, Math.abs(exact));
    if (!(error <= tolerance))
      throw new Error(`d loss / d ${name}: gradient ${exact}, differences ${difference}`);
  }
  await session.release();
}
