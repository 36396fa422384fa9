import { expect, it } from 'vitest';
import { float32, int64 } from '../onnx/tensor.ts';
import { binarisedKl, spanSums } from './aligned-likelihoods.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';
import { lossAndGradient } from './testing/loss-case.ts';
import { meanOverTokens } from './token-classes.ts';
import { sortedDistance } from './uld.ts';

const [ROWS, TOKENS, VOCABULARY] = [3, 3, 4];
const own = numbers(ROWS * TOKENS * VOCABULARY, 5);
const rowWeights = float32([1, 0.5, 0]);
const weightOf = (token: number) => [1, 0.5, 0][Math.floor(token / TOKENS)] as number;

const softmax = (token: number) => {
  const powers = own.slice(token * VOCABULARY, (token + 1) * VOCABULARY).map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
};

/** The mean over all tokens that count. */
function mean(lossOf: (token: number) => number | undefined): number {
  let [sum, count] = [0, 0];
  for (let token = 0; token < ROWS * TOKENS; token++) {
    const loss = lossOf(token);
    if (loss === undefined) continue;
    sum += weightOf(token) * loss;
    count += weightOf(token);
  }
  return sum / count;
}

// Of the teacher two or five are known of a vocabulary that may be larger or smaller than the student's.
for (const known of [
  [0.6, 0.25],
  [0.5, 0.2, 0.15, 0.1, 0.05],
]) {
  const k = known.length;
  describeRowLoss(`the distance of sorted probabilities, ${k} of them known`, {
    inputs: {
      logits: float32(own, [ROWS, TOKENS, VOCABULARY]),
      kept: float32(Array.from({ length: ROWS * TOKENS }, () => known).flat(), [ROWS, TOKENS, k]),
      rowWeights,
    },
    student: ['logits'],
    smooth: false,
    build: (g, v) =>
      meanOverTokens(
        g,
        sortedDistance(g, { logits: v.logits!, kept: v.kept! }),
        g.expand(g.unsqueeze(v.rowWeights!, [1]), [ROWS, TOKENS]),
      ),
    expected: mean((token) => {
      const sorted = softmax(token).sort((a, b) => b - a);
      const pairs = known.map((p, i) => [p, sorted[i] ?? 0] as const);
      const others = pairs.reduce((left, [p, q]) => left + p - q, 0);
      return pairs.reduce((sum, [p, q]) => sum + Math.abs(p - q), 0) + Math.abs(others);
    }),
  });
}

/** Of each row one span of two tokens that ends at the third. */
const told = [-0.7, -2.5, -9].flatMap((log) => [0, 0, log]);
const counts = [0, 0, 2, 0, 1, 1, 0, 0, 2];
const [TAU] = [3];

const kl = (teacher: number, student: number) => {
  const [a, b] = [teacher / TAU, student / TAU];
  const [p, q] = [Math.exp(a), Math.exp(b)];
  return TAU * (p * (a - b) + (1 - p) * Math.log((1 - p) / (1 - q)));
};

describeRowLoss('the likelihoods of spans', {
  inputs: {
    next: float32(
      own.slice(0, ROWS * TOKENS).map((x) => -0.3 - Math.abs(x)),
      [ROWS, TOKENS],
    ),
    told: float32(
      told.map((log, i) => (i === 4 ? -1.25 : log)),
      [ROWS, TOKENS],
    ),
    rowWeights,
  },
  student: ['next'],
  build(g, v) {
    const number = g.constant(int64(counts, [ROWS, TOKENS]));
    const student = spanSums(g, v.next!, number);
    const there = g.min(g.cast(number, 'float32'), 1);
    const losses = binarisedKl(g, { teacher: v.told!, student, temperature: TAU });
    return meanOverTokens(g, losses, g.mul(there, g.unsqueeze(v.rowWeights!, [1])));
  },
  expected: mean((token) => {
    const count = counts[token] as number;
    if (count === 0) return undefined;
    const next = own.map((x) => Math.fround(-0.3 - Math.abs(x)));
    const sum = next.slice(token - count, token).reduce((a, b) => a + b, 0);
    return kl(token === 4 ? -1.25 : (told[token] as number), sum);
  }),
});

it('compares likelihoods of nearly certain and of impossible spans, and has the limit of large temperatures', async () => {
  const at = async (temperature: number, teacher: number, student: number) => {
    const inputs = { student: float32([student], [1, 1]), teacher: float32([teacher], [1, 1]) };
    return lossAndGradient(inputs, 'student', (g, v) =>
      g.reduceSum(binarisedKl(g, { teacher: v.teacher!, student: v.student!, temperature }), {
        keepDims: false,
      }),
    );
  };
  for (const [teacher, student] of [
    [0, -1e-4],
    [-1e-4, 0],
    [-300, -2],
    [-2, -300],
    [0, 0],
  ] as const) {
    const { value, gradient } = await at(100, teacher, student);
    expect(Number.isFinite(value + gradient[0]!)).toBe(true);
    expect(value).toBeGreaterThanOrEqual(-1e-4);
  }
  const { value } = await at(5000, -2, -5);
  expect(value).toBeCloseTo(-2 - -5 + 2 * Math.log(2 / 5), 2);
});
