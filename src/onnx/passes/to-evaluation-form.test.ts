import { expect, it } from 'vitest';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, tensor } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { operatorsOf } from '../testing/small-graph.ts';
import { toEvaluationForm } from './to-evaluation-form.ts';

function normalized(outputs: 1 | 3) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [4, 2, 3]);
  const constant = (name: string, values: number[]) => g.initializer(name, float32(values));
  const inputs = [
    x,
    constant('scale', [2, 3]),
    constant('bias', [1, -1]),
    constant('mean', [0.5, -0.5]),
    constant('variance', [4, 0.25]),
  ];
  const [y, mean, variance] = g.node('BatchNormalization', inputs, { training_mode: 1 }, { outputs: 3 });
  g.output(y, 'y');
  if (outputs === 3) {
    g.output(mean, 'next_mean');
    g.output(variance, 'next_variance');
  }
  return g.build();
}

it('normalises by the running statistics, which stay', async () => {
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
  const results = await runGraph(toEvaluationForm(normalized(3)), { x: float32(x, [4, 2, 3]) });
  const expected = Array.from(x, (value, i) => {
    const c = Math.floor(i / 3) % 2;
    return ((value - [0.5, -0.5][c]) / Math.sqrt([4, 0.25][c] + 1e-5)) * [2, 3][c] + [1, -1][c];
  });
  Array.from(results.y.data as Float32Array).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
  expect([...results.next_mean.data]).toEqual([0.5, -0.5]);
  expect([...results.next_variance.data]).toEqual([4, 0.25]);
});

it('answers a sample alike whatever is in its batch', async () => {
  const rows = (first: number) => {
    const data = Float32Array.from({ length: 24 }, (_, i) => (i < 6 ? i : first * i));
    return { x: float32(data, [4, 2, 3]) };
  };
  const firstRow = async (graph: ReturnType<typeof normalized>, by: number) =>
    [...(await runGraph(graph, rows(by))).y.data].slice(0, 6);
  const training = normalized(1);
  expect(await firstRow(training, 1)).not.toEqual(await firstRow(training, 2));
  const evaluation = toEvaluationForm(training);
  expect(await firstRow(evaluation, 1)).toEqual(await firstRow(evaluation, 2));
});

it('drops nothing', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [3, 4]);
  const training = g.initializer('training', tensor('bool', [], Uint8Array.of(1)));
  const [y, mask] = g.node('Dropout', [x, g.scalar(0.5), training], {}, { outputs: 2 });
  const [alone] = g.node('Dropout', [y, g.scalar(0.5), training]);
  g.output(alone, 'y');
  g.output(mask, 'mask');
  const x12 = float32(
    Array.from({ length: 12 }, (_, i) => i),
    [3, 4],
  );
  const results = await runGraph(toEvaluationForm(g.build()), { x: x12 });
  expect([...results.y.data]).toEqual([...x12.data]);
  expect([...results.mask.data].every(Boolean)).toBe(true);
});

it('leaves other nodes as they are', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [3, 4]);
  g.output(g.relu(g.add(x, 1)));
  const graph = g.build();
  expect(operatorsOf(toEvaluationForm(graph))).toEqual(['Add', 'Relu']);
});
