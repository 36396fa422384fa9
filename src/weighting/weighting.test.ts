import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { loadGraph } from '../autodiff/testing/run-graph.ts';
import type { ObjectiveInputs } from '../objectives/objective.ts';
import { weightedMean } from '../objectives/objective.ts';
import type { Dim, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, toNumbers } from '../onnx/tensor.ts';
import { dynamicWeights } from './dynamic.ts';
import { balancedFactors, givenFactors } from './gradient-norms.ts';
import { uncertaintyWeights } from './uncertainty.ts';
import type { StepWeighting } from './weighting.ts';

const { log: ln, exp } = Math;
const sigmoid = (x: number) => 1 / (1 + exp(-x));

/** A weighting over two terms of two rows: `kd`, which tells its rows, and `hints`, which does not. */
async function weigh(weighting: StepWeighting, feeds: Record<string, Tensor>, answer = 'logits') {
  const g = new GraphBuilder();
  const input = (name: string, dims: readonly Dim[]) =>
    (g.inputs.find((one) => one.name === name) as TypedValue | undefined) ?? g.input(name, 'float32', dims);
  const logits = g.input('logits', 'float32', [2, 2]);
  const rowWeights = g.input('row_weights', 'float32', [2]);
  const inputs = {
    student: () => logits,
    has: (name) => name === answer,
    knowledge: () => input('knowledge/logits', [2, 2]),
    parameter: (name, dims) => input(name, dims),
    rowWeights: () => rowWeights,
    input: (name, _type, dims) => input(name, dims),
  } as Partial<ObjectiveInputs> as ObjectiveInputs;
  const values = g.reduceSum(logits, { axes: [1], keepDims: false });
  const rows = { values, weights: rowWeights };
  const terms = [
    { name: 'kd', weight: 0.5, loss: weightedMean(g, values, rowWeights), rows },
    { name: 'hints', weight: 3, loss: g.reduceSum(values, { keepDims: false }) },
  ];
  const { factors, penalty, metrics } = weighting.weigh(g, terms, inputs);
  for (const [i, factor] of factors.entries()) g.output(factor, `factor ${i}`);
  if (penalty) g.output(penalty, 'penalty');
  for (const [name, value] of metrics) g.output(value, name);
  const slopes = gradients(g, g.reduceSum(factors[0]!, { keepDims: false }), [logits]);
  const run = await loadGraph(g.build());
  const results = await run({
    row_weights: float32([1, 1]),
    logits: float32([0, 0, 0, 0], [2, 2]),
    ...feeds,
  });
  const numbers = Object.fromEntries(
    Object.entries(results).map(([name, value]) => [name, toNumbers(value)]),
  );
  return { numbers, slopes };
}

describe('dynamicWeights', () => {
  const weighting = dynamicWeights({ names: ['labels', 'kd', 'hints'] });
  // The first row is as uncertain as can be; of the second, the teacher is sure and the student says the contrary.
  const feeds = {
    logits: float32([0, 0, 60, 0], [2, 2]),
    'knowledge/logits': float32([0, 0, 0, 60], [2, 2]),
    'weighting/effect': float32([0.1, 0.5, -0.25]),
  };
  const settings = (alpha: number[], beta: number[], gamma: number[]) => ({
    'weighting/alpha': float32(alpha),
    'weighting/beta': float32(beta),
    'weighting/gamma': float32(gamma),
  });

  it('needs a student that answers classes', async () => {
    await expect(weigh(weighting, feeds, 'embedding')).rejects.toMatchObject({
      code: 'recipe.invalid',
      where: 'weighting.kind',
    });
  });

  it('start with what the recipe says', async () => {
    const { numbers } = await weigh(weighting, { ...feeds, ...settings([0, 0, 0], [0, 0, 0], [0, 0, 0]) });
    expect(numbers['factor 0']).toEqual([1, 1]);
    expect(numbers['factor 1']).toEqual([1]);
    expect(numbers['weight/kd']).toEqual([0.5]);
    expect(numbers['weight/hints']).toEqual([3]);
  });

  it('are 2 sigmoid(alpha C + beta D + gamma E), by row where a term tells its rows', async () => {
    const { numbers, slopes } = await weigh(weighting, {
      ...feeds,
      ...settings([9, 0.7, -1], [9, -0.4, 2], [9, 1.2, 0.8]),
    });
    // C is 1 and 0, D is 0 and 1, E of kd is 0.5 and of hints -0.25.
    const rows = [2 * sigmoid(0.7 + 0.6), 2 * sigmoid(-0.4 + 0.6)] as const;
    const scalar = 2 * sigmoid(-0.5 + 1 - 0.2);
    expect(numbers['factor 0'][0]).toBeCloseTo(rows[0], 5);
    expect(numbers['factor 0'][1]).toBeCloseTo(rows[1], 5);
    expect(numbers['factor 1'][0]).toBeCloseTo(scalar, 5);
    expect(numbers['weight/kd'][0]).toBeCloseTo((0.5 * (rows[0] + rows[1])) / 2, 5);
    expect(numbers['weight/hints'][0]).toBeCloseTo(3 * scalar, 5);
    expect(numbers['cause/complexity'][0]).toBeCloseTo(0.5, 5);
    expect(numbers['cause/divergence'][0]).toBeCloseTo(0.5, 5);
    expect(numbers['cause/effect/kd'][0]).toBeCloseTo(0.5, 6);
    // A student cannot make itself weigh less.
    expect(slopes).toEqual([null]);
  });

  it('know the divergence of distributions that are not certain', async () => {
    // (3/4, 1/4) against (1/4, 3/4): the middle is (1/2, 1/2), each side ln 2 minus its entropy away.
    const entropy = -(0.75 * ln(0.75) + 0.25 * ln(0.25));
    const { numbers } = await weigh(weighting, {
      ...feeds,
      logits: float32([ln(3), 0, ln(3), 0], [2, 2]),
      'knowledge/logits': float32([0, ln(3), 0, ln(3)], [2, 2]),
      row_weights: float32([1, 0]),
      ...settings([0, 0, 0], [0, 0, 0], [0, 0, 0]),
    });
    expect(numbers['cause/divergence'][0]).toBeCloseTo((ln(2) - entropy) / ln(2), 5);
    expect(numbers['cause/complexity'][0]).toBeCloseTo(entropy / ln(2), 5);
  });

  it('say which terms they were made for', async () => {
    const other = dynamicWeights({ names: ['kd'] });
    await expect(weigh(other, feeds)).rejects.toThrow('not for hints');
  });
});

describe('uncertaintyWeights', () => {
  it('are inverse variances, with half of their logarithm for a penalty, and limits', async () => {
    const at = (kd: number, hints: number) =>
      weigh(uncertaintyWeights(), {
        'log_variance/kd': float32([kd], [1, 1]),
        'log_variance/hints': float32([hints], [1, 1]),
      });
    const { numbers } = await at(ln(4), ln(0.5));
    expect(numbers['factor 0'][0]).toBeCloseTo(0.25, 6);
    expect(numbers['factor 1'][0]).toBeCloseTo(2, 6);
    expect(numbers.penalty[0]).toBeCloseTo((ln(4) + ln(0.5)) / 2, 6);
    expect(numbers['weight/hints'][0]).toBeCloseTo(6, 5);
    const beyond = await at(-9, 0);
    expect(beyond.numbers['factor 0'][0]).toBeCloseTo(exp(4), 3);
  });
});

describe('balanced gradient norms', () => {
  const terms = [
    { weight: 0.9, norm: 3 },
    { weight: 0.1, norm: 1 },
  ];

  it('pull equally hard, together as hard as before', () => {
    expect(balancedFactors(terms, 'equal')).toEqual([2 / 3, 2]);
  });

  it("or in the recipe's proportion", () => {
    const [kd, labels] = balancedFactors(terms, 'recipe') as [number, number];
    expect(kd * 3).toBeCloseTo(9 * labels, 10);
    expect(kd * 3 + labels).toBeCloseTo(4, 10);
  });

  it('leave a term without a gradient alone, and no factor without a limit', () => {
    expect(balancedFactors([...terms, { weight: 1, norm: 0 }], 'equal')).toEqual([2 / 3, 2, 1]);
    const far = [
      { weight: 1, norm: 1 },
      { weight: 1, norm: 2 ** -30 },
    ];
    expect(balancedFactors(far, 'equal')).toEqual([(1 + 2 ** -30) / 2, 100]);
    expect(balancedFactors([{ weight: 1, norm: 0 }], 'equal')).toEqual([1]);
  });

  it('are given to a step from outside', async () => {
    const { numbers } = await weigh(givenFactors(['hints', 'kd']), {
      'weighting/factors': float32([4, 0.5]),
    });
    expect(numbers['factor 0']).toEqual([0.5]);
    expect(numbers['factor 1']).toEqual([4]);
    expect(numbers['weight/kd']).toEqual([0.25]);
  });
});
