import { describe, expect, it } from 'vitest';
import { DATA_TYPE_CODES } from '../data-type.ts';
import type { Graph, TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, tensor } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { type ScoreForm, scoreForm, withScores } from './score-form.ts';

const SCORES = [2, -1, 0.5, -30, 40, 3];

/** `end` makes an output `logits` of scores, float32 [batch, 3]. */
function ending(end: (g: GraphBuilder, scores: TypedValue) => TypedValue): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 3]);
  // Attention and gates inside a model are no ends of it.
  const gated = g.mul(g.softmax(g.mul(x, 0)), g.sigmoid(g.mul(x, 0)));
  g.output(end(g, g.add(x, g.mul(gated, 0))), 'logits');
  return g.build();
}

const grid = (g: GraphBuilder) =>
  [g.scalar(1 / 255), g.initializer('zero', tensor('uint8', [], Uint8Array.of(0)))] as const;

describe.each<[string, ScoreForm, (g: GraphBuilder, x: TypedValue) => TypedValue]>([
  ['a Softmax', 'softmax', (g, x) => g.softmax(x)],
  ['a Softmax over the axis 1', 'softmax', (g, x) => g.softmax(x, 1)],
  [
    'a Softmax, then casts and other shapes',
    'softmax',
    (g, x) => {
      const column = g.unsqueeze(g.softmax(x), [2]);
      const half = g.op('Cast', [g.squeeze(column, [2])], { to: DATA_TYPE_CODES.float64 });
      return g.cast(half, 'float32');
    },
  ],
  [
    'a Softmax that is quantised behind',
    'softmax',
    (g, x) => {
      const [scale, zero] = grid(g);
      return g.op('DequantizeLinear', [g.op('QuantizeLinear', [g.softmax(x), scale, zero]), scale, zero]);
    },
  ],
  ['a Softmax that is clipped', 'softmax', (g, x) => g.clip(g.softmax(x), 1e-7, 1)],
  [
    'powers over their sum',
    'softmax',
    (g, x) => {
      const powers = g.exp(g.sub(x, g.reduceMax(x, { axes: [1] })));
      return g.div(powers, g.reduceSum(powers, { axes: [1] }));
    },
  ],
  ['a LogSoftmax to the power of e', 'softmax', (g, x) => g.exp(g.logSoftmax(x))],
  ['a LogSoftmax', 'log-softmax', (g, x) => g.logSoftmax(x)],
  ['the logarithm of a Softmax', 'log-softmax', (g, x) => g.log(g.softmax(x))],
  ['a Sigmoid', 'sigmoid', (g, x) => g.sigmoid(x)],
  ['a Sigmoid in parts', 'sigmoid', (g, x) => g.reciprocal(g.add(g.exp(g.neg(x)), 1))],
])('%s', (_, form, end) => {
  const graph = ending(end);
  const found = scoreForm(graph, graph.outputs[0]!);

  it(`is ${form}`, () => {
    expect(found?.form).toBe(form);
  });

  it('gives the scores before it', async () => {
    const result = await runGraph(withScores(graph, found!), { x: float32(SCORES, [2, 3]) });
    const rows = [0, 3].map((at) => [...(result.logits!.data as Float32Array)].slice(at, at + 3));
    rows.forEach((row, i) => {
      // A number that is the same in all of a row's scores says nothing.
      const off = row[0]! - SCORES[3 * i]!;
      row.forEach((value, c) => {
        expect(value - off).toBeCloseTo(SCORES[3 * i + c]!, 4);
      });
    });
  });
});

it('finds nothing at the end of scores', () => {
  for (const end of [
    (_: GraphBuilder, x: TypedValue) => x,
    (g: GraphBuilder, x: TypedValue) => g.mul(g.softmax(x), 3),
    (g: GraphBuilder, x: TypedValue) => g.softmax(x, 0),
    (g: GraphBuilder, x: TypedValue) => g.tanh(x),
  ]) {
    const graph = ending((g, x) => g.identity(end(g, x)));
    expect(scoreForm(graph, graph.outputs[0]!)).toBeUndefined();
  }
});
