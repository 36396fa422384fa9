import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import { type RandomStream, randomStream } from '../../random.ts';
import { gradients } from '../gradients.ts';
import { type Feeds, loadGraph } from './run-graph.ts';

type FloatType = 'float32' | 'float64';

/** An input of a function under test: its shape, and how its elements are drawn. */
export interface TestInput {
  readonly shape: readonly number[];
  /** The axes whose sizes may be names (all); others, as those of a kernel, are part of the operator. */
  readonly named?: readonly number[];
  /** Standard normal by default. */
  readonly draw?: (random: RandomStream, index: number) => number;
}

export interface GradientCheck {
  readonly inputs: readonly TestInput[];
  /** Emits the function; any output shape, one or several outputs. */
  readonly build: (g: GraphBuilder, inputs: TypedValue[], type: FloatType) => TypedValue | TypedValue[];
  /** float64 by default; float32 for operators without a double kernel in ONNX Runtime. */
  readonly type?: FloatType;
  /** 2 also checks the gradients of the gradients (the default), 1 does not. */
  readonly order?: 1 | 2;
  readonly seed?: number;
  /** Largest accepted error, relative to the size of the derivative (or 1). */
  readonly tolerance?: number;
  /** The distance between the points of the difference. */
  readonly step?: number;
}

const SETTINGS = {
  float64: { step: 1e-4, tolerance: 1e-7 },
  float32: { step: 2e-2, tolerance: 1e-3 },
};

/** The central difference of fourth order: float32 needs steps that are too long for the one of second order. */
const STENCIL = [
  { steps: -2, factor: 1 / 12 },
  { steps: -1, factor: -8 / 12 },
  { steps: 1, factor: 8 / 12 },
  { steps: 2, factor: -1 / 12 },
];

/**
 * Compares `gradients` with central differences along a random direction for every input, first for r . f(x) with a
 * random r (so that every element of the output counts), then for v . gradient with a random v. Sums are made here in
 * double, so that float32 only errs inside the operators. Throws an Error that says which derivative is wrong.
 */
export async function checkGradients(check: GradientCheck): Promise<void> {
  const type = check.type ?? 'float64';
  const { step, tolerance } = { ...SETTINGS[type], ...check };
  const random = randomStream(check.seed ?? 1, 'check-gradients');
  const g = new GraphBuilder();
  const feeds: Record<string, Tensor> = {};
  const directions: Record<string, Tensor> = {};
  const fresh = (name: string, shape: readonly number[], draw?: TestInput['draw']) => {
    feeds[name] = randomTensor(type, shape, random, draw);
    directions[name] = randomTensor(type, shape, random);
    return g.input(name, type, shape);
  };
  const xs = check.inputs.map((input, i) => fresh(`x${i}`, input.shape, input.draw));
  const built = check.build(g, xs, type);
  const ys = Array.isArray(built) ? built : [built];
  const rs = ys.map((y, i) => fresh(`r${i}`, y.shape as readonly number[]));
  const loss = total(
    g,
    ys.map((y, i) => g.mul(y, rs[i])),
    type,
  );

  const first = gradients(g, loss, xs);
  const vs = first.map((d, i) => (d ? fresh(`v${i}`, d.shape as readonly number[]) : null));
  const products = first.flatMap((d, i) => (d ? [g.mul(d, vs[i] as TypedValue)] : []));
  const outer = [...xs, ...rs];
  const second =
    check.order === 1 || products.length === 0 ? [] : gradients(g, total(g, products, type), outer);

  const named = (prefix: string, values: readonly (TypedValue | null)[]) =>
    values.forEach((value, i) => {
      if (value) g.output(value, `${prefix}${i}`);
    });
  named('y', ys);
  named('first', first);
  named('second', second);
  const run = await loadGraph(g.build());
  const base = await run(feeds);

  const compare = (what: string, exact: number, difference: number) => {
    const error = Math.abs(exact - difference) / Math.max(1, Math.abs(exact), Math.abs(difference));
    if (!(error <= tolerance)) throw new Error(`${what}: gradient ${exact}, differences ${difference}`);
  };
  for (const [i, x] of outer.entries()) {
    const direction = directions[x.name];
    const at = STENCIL.map(({ steps }) => run(moved(feeds, x.name, direction, steps * step)));
    const results = await Promise.all(at);
    const slope = (prefix: string, weights: string, values: readonly (TypedValue | null)[]) =>
      values.reduce((sum, value, index) => {
        if (!value) return sum;
        const along = (k: number) => dot(results[k][`${prefix}${index}`], feeds[`${weights}${index}`]);
        return sum + STENCIL.reduce((part, { factor }, k) => part + (factor * along(k)) / step, 0);
      }, 0);
    if (i < xs.length) {
      const exact = first[i] ? dot(base[`first${i}`], direction) : 0;
      compare(`d loss / d ${x.name}`, exact, slope('y', 'r', ys));
    }
    if (check.order === 1) continue;
    const exact = second[i] ? dot(base[`second${i}`], direction) : 0;
    compare(`d (gradient) / d ${x.name}`, exact, slope('first', 'v', first));
  }
}

function total(g: GraphBuilder, values: readonly TypedValue[], type: FloatType): TypedValue {
  const sums = values.map((value) => g.reduceSum(value, { keepDims: false }));
  return sums.reduce((a, b) => g.add(a, b), g.scalar(0, type));
}

function randomTensor(
  type: FloatType,
  shape: readonly number[],
  random: RandomStream,
  draw: NonNullable<TestInput['draw']> = (stream) => stream.normal(),
): Tensor {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => draw(random, i));
  return tensor(type, shape, type === 'float64' ? Float64Array.from(values) : Float32Array.from(values));
}

function moved(feeds: Feeds, name: string, direction: Tensor, by: number): Feeds {
  const data = (feeds[name].data as Float64Array).slice();
  for (let i = 0; i < data.length; i++) data[i] += by * (direction.data[i] as number);
  return { ...feeds, [name]: { ...feeds[name], data } };
}

function dot(a: Tensor, b: Tensor): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] as number) * (b.data[i] as number);
  return sum;
}
