import { gradients } from '../../autodiff/gradients.ts';
import { loadGraph } from '../../autodiff/testing/run-graph.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { meanLoss, type TermLoss } from '../objective.ts';

export interface LossResult {
  readonly value: number;
  /** d value / d `wrt`. */
  readonly gradient: readonly number[];
}

/** The scalar of a loss over named inputs, and its gradient by one of them, on ONNX Runtime. */
export async function lossAndGradient(
  inputs: Readonly<Record<string, Tensor>>,
  wrt: string,
  build: (g: GraphBuilder, values: Record<string, TypedValue>) => TermLoss,
): Promise<LossResult> {
  const g = new GraphBuilder();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims }]) => [name, g.input(name, type, dims)]),
  );
  const loss = meanLoss(g, build(g, values));
  const [gradient] = gradients(g, loss, [values[wrt] as TypedValue]);
  g.output(loss, 'loss');
  if (gradient) g.output(gradient, 'gradient');
  const results = await (await loadGraph(g.build()))(inputs);
  return {
    value: Number(results.loss?.data[0]),
    gradient: Array.from((results.gradient?.data ?? []) as Float32Array),
  };
}
