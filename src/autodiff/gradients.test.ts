import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor, toNumbers } from '../onnx/tensor.ts';
import { gradients } from './gradients.ts';
import { stopGradient } from './stop-gradient.ts';
import { loadGraph } from './testing/run-graph.ts';

/** Runs a graph whose outputs are these values. */
async function evaluate(
  g: GraphBuilder,
  values: Record<string, TypedValue | null>,
  feeds: Record<string, Tensor> = {},
): Promise<Record<string, number[]>> {
  for (const [name, value] of Object.entries(values)) if (value) g.output(value, name);
  const results = await (await loadGraph(g.build()))(feeds);
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, toNumbers(value)]));
}

function caught(body: () => unknown): LimbeckError {
  try {
    body();
  } catch (error) {
    if (error instanceof LimbeckError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const x = float32([1, -2, 3]);

describe('gradients', () => {
  it('flow to inputs, initializers, inner values and the loss itself', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const w = g.initializer('w', float32([2, 3, 4]));
    const tap = g.mul(input, w);
    const loss = g.reduceSum(g.square(tap), { keepDims: false });
    const [dx, dw, dTap, dLoss] = gradients(g, loss, [input, w, tap, loss]);
    const result = await evaluate(g, { dx, dw, dTap, dLoss }, { x });
    expect(result.dTap).toEqual([4, -12, 24]);
    expect(result.dx).toEqual([8, -36, 96]);
    expect(result.dw).toEqual([4, 24, 72]);
    expect(result.dLoss).toEqual([1]);
  });

  it('add up where a value is used several times', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const loss = g.reduceSum(g.add(g.mul(input, 2), g.add(g.square(input), g.neg(input))), {
      keepDims: false,
    });
    const [dx] = gradients(g, loss, [input]);
    expect((await evaluate(g, { dx }, { x })).dx).toEqual([3, -3, 7]);
  });

  it('are null where the loss does not depend on the value', () => {
    const g = new GraphBuilder();
    const [used, unused, ids] = [
      g.input('used', 'float32', [2]),
      g.input('unused', 'float32', [2]),
      g.input('ids', 'int64', [2]),
    ];
    const aside = g.exp(unused);
    const loss = g.reduceSum(g.mul(used, g.cast(ids, 'float32')), { keepDims: false });
    const found = gradients(g, loss, [used, unused, ids, aside]);
    expect(found.map((d) => d?.shape ?? null)).toEqual([[2], null, null, null]);
  });

  it('stop at integers and at stopGradient', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const rounded = g.cast(g.cast(g.mul(input, 2), 'int32'), 'float32');
    const stopped = stopGradient(g, g.square(input));
    const loss = g.reduceSum(g.mul(g.add(rounded, stopped), input), { keepDims: false });
    const [dx] = gradients(g, loss, [input]);
    expect((await evaluate(g, { dx }, { x })).dx).toEqual([3, 0, 15]);
  });

  it('stop at stopGradient also in a graph that was copied into another', () => {
    const inner = new GraphBuilder();
    const a = inner.input('a', 'float32', [2]);
    inner.output(
      inner.scope('teacher', () => stopGradient(inner, inner.exp(a))),
      'b',
    );
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [2]);
    stopGradient(g, input);
    const b = g.inline(inner.build(), new Map([['a', input]]), 'copy').get('b') as TypedValue;
    const loss = g.reduceSum(b, { keepDims: false });
    expect(gradients(g, loss, [input])).toEqual([null]);
    expect(gradients(g, loss, [b])[0]?.shape).toEqual([2]);
  });

  it('take a seed, and then need no scalar', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const seed = g.initializer('seed', float32([1, 10, 100]));
    const [dx] = gradients(g, g.square(input), [input], { seed });
    expect((await evaluate(g, { dx }, { x })).dx).toEqual([2, -40, 600]);
    expect(() => gradients(g, input, [input], { seed: g.scalar(1) })).toThrow(/the seed is float32\[\]/);
  });

  it('of a loss that is no scalar, or no float, are an error that says so', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [2, 3]);
    expect(caught(() => gradients(g, input, [input]))).toMatchObject({
      code: 'train.loss-not-scalar',
      message: expect.stringContaining("'x' has shape [2, 3]"),
    });
    expect(caught(() => gradients(g, g.argMax(input), [input])).code).toBe('train.loss-not-scalar');
  });

  it('of a copied graph whose sizes do not go together are an error that says which', () => {
    const broken = new GraphBuilder();
    const [x, wide] = [broken.input('x', 'float32', [2, 4]), broken.input('wide', 'float32', [2, 5])];
    const product = broken.matMul(wide, broken.initializer('w', float32(new Float32Array(15), [5, 3])));
    broken.output(broken.reduceSum(product, { keepDims: false }), 'loss');
    const graph = broken.build();
    const nodes = graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((value) => (value === wide ? x : value)),
    }));
    const g = new GraphBuilder();
    const bound = new Map<string, TypedValue>([['x', g.input('x', 'float32', [2, 4])]]);
    const copied = g.copy({ ...graph, nodes, inputs: [x] }, bound);
    const [loss] = [...copied].flatMap(([from, to]) => (from === graph.outputs[0] ? [to as TypedValue] : []));
    expect(() => gradients(g, loss!, [bound.get('x')!])).toThrow(
      expect.objectContaining({ code: 'model.sizes', message: expect.stringContaining('MatMul') }),
    );
  });

  it('list every operator on the way that has none, and only those', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const ignored = g.op('Hardmax', [input], {}, { name: 'off-the-path' });
    const a = g.op('Hardmax', [input], {}, { name: 'first' });
    const b = g.op('Hardmax', [g.add(a, input)], {}, { name: 'second' });
    const { code, message } = caught(() => gradients(g, g.reduceSum(b, { keepDims: false }), [input]));
    expect(code).toBe('train.no-gradient');
    expect(message).toContain('2 operators between the loss and the trained values');
    expect(message).toContain("Hardmax 'first', Hardmax 'second'");
    expect(message).not.toContain(ignored.name);
    // Nothing to differentiate before the operator: no error.
    expect(gradients(g, g.reduceSum(b, { keepDims: false }), [b])[0]?.shape).toEqual([3]);
  });

  it('list forms of an operator that have none with the reason', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const reflected = g.op('Pad', [input, g.ints([1, 1])], { mode: 'mirrored' }, { name: 'mirror' });
    const error = caught(() => gradients(g, g.reduceSum(reflected, { keepDims: false }), [input]));
    expect(error.code).toBe('train.no-gradient');
    expect(error.message).toContain("Pad 'mirror' (mode mirrored)");
  });

  it('pass through symbolic shapes where no size has to be known', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', ['batch', 3]);
    const w = g.initializer('w', float32([1, 2, 3, 4, 5, 6], [3, 2]));
    const bias = g.initializer('bias', float32([0, 0]));
    const y = g.reshape(g.add(g.matMul(input, w), bias), [0, 2, 1]);
    const [dx, dw, db] = gradients(g, g.reduceSum(y, { keepDims: false }), [input, w, bias]);
    const feeds = { x: float32([1, 2, 3, 4, 5, 6], [2, 3]) };
    expect(await evaluate(g, { dx, dw, db }, feeds)).toEqual({
      dx: [3, 7, 11, 3, 7, 11],
      dw: [5, 5, 7, 7, 9, 9],
      db: [2, 2],
    });
  });

  it('of gradients are gradients', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    let y: TypedValue | null = g.pow(input, 4);
    const orders: Record<string, TypedValue | null> = {};
    for (const order of ['first', 'second', 'third', 'fourth']) {
      y = gradients(g, g.reduceSum(y as TypedValue, { keepDims: false }), [input])[0];
      orders[order] = y;
    }
    const result = await evaluate(g, orders, { x });
    const near = (values: number[]) => values.map((value) => expect.closeTo(value, 3));
    expect(result.first).toEqual(near([4, -32, 108]));
    expect(result.second).toEqual(near([12, 48, 108]));
    expect(result.third).toEqual(near([24, -48, 72]));
    expect(result.fourth).toEqual(near([24, 24, 24]));
  });

  it('follow the documented conventions at kinks and ties', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3]);
    const tied = g.input('tied', 'float32', [4]);
    const sum = (value: TypedValue) => g.reduceSum(value, { keepDims: false });
    const d = (value: TypedValue, by = input) => gradients(g, sum(value), [by])[0];
    const zeros = float32([0, 0, 0]);
    const one = g.mul(input, 1);
    const [first, second] = gradients(g, sum(g.max(input, one)), [input, one]);
    const values = {
      relu: d(g.relu(input)),
      abs: d(g.abs(input)),
      sqrt: d(g.sqrt(input)),
      clip: d(g.clip(input, 0, 1)),
      l2: d(g.op('ReduceL2', [input])),
      max: d(g.reduceMax(tied, { axes: [0] }), tied),
      first,
      second,
    };
    expect(await evaluate(g, values, { x: zeros, tied: float32([1, 5, 5, 2]) })).toEqual({
      relu: [0, 0, 0],
      abs: [0, 0, 0],
      sqrt: [Infinity, Infinity, Infinity],
      clip: [1, 1, 1],
      l2: [0, 0, 0],
      max: [0, 0.5, 0.5, 0],
      // The first operand of Max takes all; `one` is the second.
      first: [1, 1, 1],
      second: [0, 0, 0],
    });
  });

  it('are exact for products with zeros', async () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [3, 3]);
    const loss = g.reduceSum(g.op('ReduceProd', [input, g.ints([1])]), { keepDims: false });
    const [dx] = gradients(g, loss, [input]);
    const feeds = { x: float32([2, 3, 4, 2, 0, 4, 0, 0, 4], [3, 3]) };
    expect((await evaluate(g, { dx }, feeds)).dx).toEqual([12, 8, 6, 0, 8, 0, 0, 0, 0]);
  });

  it.each([-1e9, -Infinity])('of softmax rows masked with %s hold no NaN', async (mask) => {
    const g = new GraphBuilder();
    const scores = g.input('x', 'float32', [3, 4]);
    const keys = g.input('mask', 'float32', [3, 4]);
    const masked = g.add(scores, keys);
    const seed = g.initializer('seed', float32([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [3, 4]));
    const [soft] = gradients(g, g.softmax(masked), [scores], { seed });
    const [log] = gradients(g, g.logSoftmax(masked), [scores], { seed });
    const m = mask;
    const rows = mask === -1e9 ? [m, m, m, m] : [m, m, m, 0];
    const feeds = {
      x: float32([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [3, 4]),
      mask: float32([0, 0, m, m, 0, 0, 0, 0, ...rows], [3, 4]),
    };
    const result = await evaluate(g, { soft, log }, feeds);
    expect(result.soft.every(Number.isFinite)).toBe(true);
    expect(result.log.every(Number.isFinite)).toBe(true);
    expect(result.soft.slice(2, 4)).toEqual([0, 0]);
  });

  it('keep sums unexpanded: a mean of squares is differentiated in one pass', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [64, 32]);
    const loss = g.reduceMean(g.square(input), { keepDims: false });
    const before = g.nodes.length;
    const [dx] = gradients(g, loss, [input]);
    const large = g.nodes.slice(before).filter((node) => node.outputs[0]?.shape?.length === 2);
    // The Expand is not used and falls away with the dead nodes.
    const used = large.filter((node) => node.opType !== 'Expand');
    expect(used.map((node) => node.opType)).toEqual(['Mul']);
    expect(used[0].outputs[0]).toBe(dx);
    expect(used[0].inputs.map((value) => value?.shape)).toEqual([[], [64, 32]]);
  });

  it('form the gradient of a weight under batches in one product', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [8, 16, 32]);
    const w = g.input('w', 'float32', [32, 24]);
    const loss = g.reduceSum(g.square(g.matMul(input, w)), { keepDims: false });
    const before = g.nodes.length;
    gradients(g, loss, [input, w]);
    const emitted = g.nodes.slice(before);
    expect(emitted.filter((node) => /MatMul|Gemm/.test(node.opType)).map((node) => node.opType)).toEqual([
      'Gemm',
      'Gemm',
    ]);
    expect(emitted.some((node) => node.opType === 'Transpose' || node.opType === 'ReduceSum')).toBe(false);
  });
});

describe('the gradient of an embedding', () => {
  it('is right and the same in every bit, whatever repeats', async () => {
    const [vocabulary, width, count] = [500, 16, 2048];
    const g = new GraphBuilder();
    const table = g.input('table', 'float32', [vocabulary, width]);
    const ids = g.input('ids', 'int64', [count]);
    const seed = g.input('seed', 'float32', [count, width]);
    const [d] = gradients(g, g.gather(table, ids), [table], { seed });
    g.output(d as TypedValue, 'd');
    const at = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 7 : (i * 37) % vocabulary));
    const rows = Array.from({ length: count * width }, (_, i) => Math.sin(i));
    const feeds = {
      table: float32(new Array(vocabulary * width).fill(0), [vocabulary, width]),
      ids: int64(at),
      seed: float32(rows, [count, width]),
    };
    const expected = new Float32Array(vocabulary * width);
    at.forEach((id, i) => {
      for (let j = 0; j < width; j++) expected[id * width + j] += feeds.seed.data[i * width + j] as number;
    });
    const run = await loadGraph(g.build(), 2);
    const bits = (data: unknown) => Buffer.from((data as Float32Array).buffer);
    for (let repetition = 0; repetition < 50; repetition++) {
      expect(bits((await run(feeds)).d.data).equals(bits(expected))).toBe(true);
    }
  });
});
