import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { classifierLogits, logitsOfProbabilities, probabilityForm, withLogits } from './class-logits.ts';

describe('answers', () => {
  it.each<[string, number[], ReturnType<typeof probabilityForm>]>([
    ['rows that sum to 1', [0.2, 0.5, 0.3, 0.98, 0.01, 0.01], 'softmax'],
    ['numbers between 0 and 1', [0.9, 0.8, 0.1, 0.2, 0.1, 0.1], 'sigmoid'],
    ['scores', [0.9, 0.8, 0.1, -0.2, 0.1, 0.1], undefined],
    ['scores that are large', [0.2, 0.5, 0.3, 3, 0, 0], undefined],
    ['numbers near 0, which say nothing', [0.01, 0.02, 0, 0, 0, 0], undefined],
    ['nothing', [], undefined],
  ])('of %s', (_, values, form) => {
    expect(probabilityForm(Float32Array.from(values), 3)).toBe(form);
  });
});

/** x is `logits`, and one of two outputs. */
function model(output = 'logits', type: 'float32' | 'float64' = 'float32') {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 3]);
  g.output(g.cast(g.identity(x), type), output);
  return g.build();
}

it('become logits that have these probabilities', async () => {
  const p = [0.2, 0.5, 0.3, 1, 0, 0];
  const logs = (await runGraph(logitsOfProbabilities(model(), 'softmax'), { x: float32(p, [2, 3]) })).logits!;
  [...(logs.data as Float32Array)].forEach((value, i) => {
    expect(Math.exp(value)).toBeCloseTo(p[i]!, 5);
    expect(Number.isFinite(value)).toBe(true);
  });
  const odds = (await runGraph(logitsOfProbabilities(model(), 'sigmoid'), { x: float32(p, [2, 3]) })).logits!;
  [...(odds.data as Float32Array)].forEach((value, i) => {
    expect(1 / (1 + Math.exp(-value))).toBeCloseTo(p[i]!, 5);
    expect(Number.isFinite(value)).toBe(true);
  });
});

it('of a model in float64, and of one that calls its only output by another name, are `logits` in float32', async () => {
  for (const graph of [model('logits', 'float64'), model('output_0'), model('intent')].map(
    (model) => classifierLogits(model, 'm').graph,
  )) {
    expect(graph.outputs.map(({ name, type }) => [name, type])).toEqual([['logits', 'float32']]);
    expect([...(await runGraph(graph, { x: float32([1, 2, 3], [1, 3]) })).logits!.data]).toEqual([1, 2, 3]);
  }
  // An embedding, say, is none.
  expect(classifierLogits(model('pooler_output'), 'm').graph.outputs[0]!.name).toBe('pooler_output');
  const image = classifierLogits(model('pooler_output'), 'm', { anyName: true });
  expect(image.graph.outputs[0]!.name).toBe('logits');
});

/** A model with these outputs [batch, 3], each x times its place. */
function several(...names: string[]) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 3]);
  names.forEach((name, i) => {
    g.output(g.mul(x, i + 1), name);
  });
  return g.build();
}

it.each<[string[], string | undefined, number]>([
  [['pooler_output', 'intent'], undefined, 2],
  [['a', 'b', 'scores'], undefined, 3],
  [['scores', 'logits'], undefined, 2],
  [['scores', 'logits'], 'scores', 1],
  [['a', 'b'], 'b', 2],
])('among the outputs %j, %s named, are told by name', async (names, named, factor) => {
  const { graph, notes } = classifierLogits(several(...names), 'm', { named });
  expect([...(await runGraph(graph, { x: float32([1, 2, 3], [1, 3]) })).logits!.data]).toEqual(
    [1, 2, 3].map((value) => value * factor),
  );
  expect(notes.length).toBe(named || names.includes('logits') ? 0 : 1);
});

it('that cannot be told are asked for', () => {
  expect(() => classifierLogits(several('a', 'b'), 'm')).toThrow(
    expect.objectContaining({ code: 'teacher.outputs', remedy: 'Name it: teacher.output.' }),
  );
  expect(() => classifierLogits(several('a'), 'm', { named: 'c' })).toThrow(/no output 'c'/);
});

it('are taken before sigmoids, and the person is told', () => {
  const g = new GraphBuilder();
  g.output(g.sigmoid(g.input('x', 'float32', ['batch', 3])), 'logits');
  expect(withLogits(g.build()).notes[0]).toContain('sigmoids');
  expect(withLogits(model()).notes).toEqual([]);
});

it('of one sigmoid are those of two classes', async () => {
  const g = new GraphBuilder();
  g.output(g.sigmoid(g.input('x', 'float32', ['batch', 1])), 'logits');
  const { graph, notes } = withLogits(g.build());
  expect(notes[0]).toContain('the second of two classes');
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([['logits', ['batch', 2]]]);
  const { logits } = await runGraph(graph, { x: float32([2, -3], [2, 1]) });
  expect([...(logits!.data as Float32Array)].map((value) => value + 0)).toEqual([0, 2, 0, -3]);
});
