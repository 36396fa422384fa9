import { createNodeEngine } from '../../engine/node.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Optimizer } from '../optimizer.ts';

export interface OptimizerRun {
  readonly shape: readonly number[];
  readonly start: readonly number[];
  /** A gradient for each step. */
  readonly gradients: readonly (readonly number[])[];
  readonly rate: number;
}

/** The parameter after each of the steps that an optimizer makes with these gradients, on ONNX Runtime. */
export async function runOptimizer(
  optimizer: Optimizer,
  { shape, start, gradients, rate }: OptimizerRun,
): Promise<number[][]> {
  const g = new GraphBuilder();
  const [parameter, gradient] = ['parameter', 'gradient'].map((name) => g.input(name, 'float32', shape));
  const slots = optimizer.slots.map((name) => g.input(name, 'float32', shape));
  const scalars = { learningRate: g.input('rate', 'float32', []), step: g.input('step', 'float32', []) };
  const next = optimizer.prepare(g, scalars)(parameter, gradient, slots);
  g.output(next.parameter, 'parameter/next');
  next.state.forEach((value, i) => {
    g.output(value, `${optimizer.slots[i]}/next`);
  });
  const session = await createNodeEngine().load(writeModel(g.build()));
  let state: Record<string, Tensor> = { parameter: float32([...start], [...shape]) };
  for (const name of optimizer.slots) state[name] = float32(new Float32Array(start.length), [...shape]);
  const path: number[][] = [];
  for (const [i, values] of gradients.entries()) {
    const out = await session.run({
      ...state,
      gradient: float32([...values], [...shape]),
      rate: float32([rate], []),
      step: float32([i + 1], []),
    });
    state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`${name}/next`] as Tensor]));
    path.push(Array.from(state.parameter?.data as Float32Array));
  }
  await session.release();
  return path;
}
