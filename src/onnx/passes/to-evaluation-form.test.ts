import { expect, it } from 'vitest';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, tensor } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { toEvaluationForm, trainingNodes } from './to-evaluation-form.ts';

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

it.each([true, false])(
  'drops nothing inside a branch, told by a constant or an input (%s)',
  async (constant) => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [8]);
    const training = constant
      ? g.initializer('training', tensor('bool', [], Uint8Array.of(1)))
      : g.input('training', 'bool', []);
    const branch = (name: string) => {
      const part = graphOf([], [], []);
      const y = valueNamed(name, 'float32', [8]);
      return { ...part, nodes: [nodeOf('Dropout', [x, half, training], [y])], outputs: [y] };
    };
    const half = g.scalar(0.5);
    const [y] = g.node('Identity', [x]);
    g.output(y, 'y');
    const built = g.build();
    const chosen = valueNamed('chosen', 'float32', [8]);
    const condition = valueNamed('condition', 'bool', []);
    const graph = {
      ...built,
      initializers: new Map([
        ...built.initializers,
        [condition, tensor('bool', [], Uint8Array.of(1))] as const,
      ]),
      nodes: [
        ...built.nodes,
        nodeOf('If', [condition], [chosen], {
          then_branch: { kind: 'graph', value: branch('then') },
          else_branch: { kind: 'graph', value: branch('else') },
        }),
      ],
      outputs: [chosen],
    };
    expect(trainingNodes(graph)).toHaveLength(2);
    const evaluated = toEvaluationForm(graph);
    expect(trainingNodes(evaluated)).toEqual([]);
    const feeds = { x: float32([1, 2, 3, 4, 5, 6, 7, 8]) };
    const given = constant ? feeds : { ...feeds, training: tensor('bool', [], Uint8Array.of(1)) };
    expect([...(await runGraph(evaluated, given)).chosen.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  },
);

it('knows the batch statistics of older versions, which have more outputs', () => {
  const graph = { ...normalized(3), opsets: new Map([['', 13]]) };
  const nodes = graph.nodes.map((node) => ({ ...node, attributes: new Map() }));
  expect(trainingNodes({ ...graph, nodes }).map(({ opType }) => opType)).toEqual(['BatchNormalization']);
  expect(trainingNodes(toEvaluationForm({ ...graph, nodes }))).toEqual([]);
});

it('says nothing of a Dropout that is told not to train, or drops nothing', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [4]);
  const told = (value: number) => g.initializer(`told${value}`, tensor('bool', [], Uint8Array.of(value)));
  const [a] = g.node('Dropout', [x, g.scalar(0.5), told(0)]);
  const [b] = g.node('Dropout', [a, g.scalar(0), told(1)]);
  g.output(g.node('Dropout', [b])[0], 'y');
  expect(trainingNodes(g.build())).toEqual([]);
});
