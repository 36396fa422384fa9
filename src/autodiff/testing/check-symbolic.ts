import type { Dim, TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { gradients } from '../gradients.ts';
import type { GradientCheck } from './check-gradients.ts';
import { loadGraph } from './run-graph.ts';

/** How the sizes of a check's inputs are named: equal sizes alike, or every size of every input by itself. */
export type Naming = 'by size' | 'each';

/**
 * Builds a check's function twice, over inputs whose sizes are numbers and over inputs whose sizes are names, and
 * compares first and second gradients on the same data. Throws an Error that names the gradient that differs.
 */
export async function checkSymbolic(check: GradientCheck, naming: Naming): Promise<void> {
  const feeds: Record<string, Tensor> = {};
  const bound = await gradientsOver(check, feeds, (shape) => [...shape]);
  const free = await gradientsOver(check, feeds, (shape, name, named) =>
    shape.map((size, axis): Dim => {
      if (named && !named.includes(axis)) return size;
      return naming === 'each' ? `${name}.${axis}` : `size${size}`;
    }),
  );
  if (Object.keys(bound).join() !== Object.keys(free).join())
    throw new Error(`${Object.keys(bound)} with sizes that are numbers, ${Object.keys(free)} with names`);
  for (const [name, wanted] of Object.entries(bound)) compare(name, wanted, free[name]);
}

type NameSizes = (shape: readonly number[], name: string, named?: readonly number[]) => Dim[];

async function gradientsOver(
  check: GradientCheck,
  feeds: Record<string, Tensor>,
  naming: NameSizes,
): Promise<Record<string, Tensor>> {
  const type = check.type ?? 'float64';
  const random = randomStream(check.seed ?? 1, 'check-symbolic');
  const g = new GraphBuilder();
  const draw = (name: string, shape: readonly number[], element: (i: number) => number) => {
    const values = Array.from({ length: elementCount(shape) }, (_, i) => element(i));
    const data = type === 'float64' ? Float64Array.from(values) : Float32Array.from(values);
    feeds[name] ??= tensor(type, shape, data);
    return feeds[name].dims;
  };
  const xs = check.inputs.map(({ shape, named, draw: how }, i) => {
    const name = `x${i}`;
    draw(name, shape, (at) => (how ? how(random, at) : random.normal()));
    return g.input(name, type, naming(shape, name, named));
  });
  const built = check.build(g, xs, type);
  const ys = Array.isArray(built) ? built : [built];
  const weigh = (values: readonly (TypedValue | null)[], stem: string): TypedValue => {
    // Weights that differ from element to element, made from sizes that only the run knows.
    const sums = values.flatMap((value, i) => {
      if (!value) return [];
      const flat = g.reshape(value, [-1]);
      const count = g.cast(g.shapeOf(flat), type);
      const places = g.op('Range', [g.scalar(0, 'int64'), g.op('Size', [flat]), g.scalar(1, 'int64')]);
      const weights = g.sin(g.add(g.mul(g.div(g.cast(places, type), count), 7), i));
      return [g.reduceSum(g.mul(flat, g.identity(weights, `${stem}${i}`)), { keepDims: false })];
    });
    return sums.reduce((a, b) => g.add(a, b), g.scalar(0, type));
  };
  const first = gradients(g, weigh(ys, 'r'), xs);
  const second = check.order === 1 ? [] : gradients(g, weigh(first, 'v'), xs);
  for (const [i, value] of first.entries()) if (value) g.output(value, `first${i}`);
  for (const [i, value] of second.entries()) if (value) g.output(value, `second${i}`);
  const graph = g.build();
  return graph.outputs.length > 0 ? (await loadGraph(graph))(feeds) : {};
}

function compare(name: string, a: Tensor, b: Tensor): void {
  if (a.dims.join() !== b.dims.join()) throw new Error(`${name}: shape [${b.dims}] instead of [${a.dims}]`);
  const tolerance = a.type === 'float64' ? 1e-9 : 2e-5;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i] as number, b.data[i] as number];
    const error = Math.abs(x - y) / Math.max(1, Math.abs(x));
    if (!(error <= tolerance)) throw new Error(`${name}[${i}]: ${y} instead of ${x}`);
  }
}
