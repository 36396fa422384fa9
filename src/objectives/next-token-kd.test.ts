import { expect, it } from 'vitest';
import { float32, tensor } from '../onnx/tensor.ts';
import { findTarget } from '../targets/index.ts';
import { keptDivergence, nextTokenKd } from './next-token-kd.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';
import { lossAndGradient } from './testing/loss-case.ts';
import { isAsked, meanOverTokens } from './token-classes.ts';

const [ROWS, TOKENS, VOCABULARY] = [3, 2, 5];
const own = numbers(ROWS * TOKENS * VOCABULARY, 3);
/** The first row's second token does not count, the second row half, the third not at all. */
const mask = [1, 0, 1, 1, 1, 1];
const rowWeights = float32([1, 0.5, 0]);
const weights = [1, 0, 0.5, 0.5, 0, 0];
/** Two entries for each token: ids, then weights. */
const kept = [
  [4, 1, 0.5, 0.3],
  [0, 2, 0.9, 0.1],
  [3, 0, 0.75, 0],
  [1, 2, 0.6, 0.2],
  [0, 1, 0.5, 0.25],
  [4, 3, 0.5, 0.25],
];

const logSoftmax = (token: number) => {
  const scores = own.slice(token * VOCABULARY, (token + 1) * VOCABULARY);
  const sum = scores.reduce((total, x) => total + Math.exp(x), 0);
  return scores.map((x) => x - Math.log(sum));
};

/** Of the tokens' losses, the mean by their weights. */
function mean(loss: (log: readonly number[], entry: readonly number[]) => number): number {
  const losses = kept.map((entry, token) => loss(logSoftmax(token), entry));
  const sum = weights.reduce((total, weight, token) => total + weight * losses[token]!, 0);
  return sum / weights.reduce((total, weight) => total + weight);
}

const left = (probability: number) => Math.max(1 - probability, 1e-6);

for (const [kind, expected] of [
  [
    'likeliest',
    mean((log, [a, b, p, q]) => {
      const known = [
        [a!, p!],
        [b!, q!],
      ] as const;
      const sum = known.reduce(
        (total, [id, weight]) => total + weight * (Math.log(Math.max(weight, 1e-6)) - log[id]!),
        0,
      );
      const [theirs, ours] = [left(p! + q!), left(Math.exp(log[a!]!) + Math.exp(log[b!]!))];
      return sum + theirs * Math.log(theirs / ours);
    }),
  ],
  ['sampled', mean((log, [a, b, p, q]) => -(p! * log[a!]! + q! * log[b!]!))],
] as const) {
  describeRowLoss(`what is kept of the next token: ${kind}`, {
    inputs: {
      logits: float32(own, [ROWS, TOKENS, VOCABULARY]),
      kept: float32(kept.flat(), [ROWS, TOKENS, 4]),
      mask: float32(mask, [ROWS, TOKENS]),
      rowWeights,
    },
    student: ['logits'],
    build: (g, v) =>
      meanOverTokens(
        g,
        keptDivergence(g, { logits: v.logits!, kept: v.kept!, kind }),
        g.mul(v.mask!, g.unsqueeze(v.rowWeights!, [1])),
      ),
    expected,
  });
}

it('asks where something is true, and where the teacher alone counts', async () => {
  const labels = tensor('int32', [1, 4], Int32Array.of(-1, 0, 7, -2));
  const inputs = { x: float32([1, 10, 100, 1000], [1, 4]), labels };
  const { value } = await lossAndGradient(inputs, 'x', (g, v) => ({
    values: g.reduceSum(g.mul(v.x!, isAsked(g, v.labels!)), { axes: [1], keepDims: false }),
    weights: g.fill([1], 1),
  }));
  expect(value).toBe(1110);
});

it('has no bound for draws, which give no divergence', () => {
  const kept = { title: '8 tokens drawn by p^1', entries: 8, kind: 'sampled', build: () => undefined };
  const head = { output: 'logits', target: findTarget('next-tokens'), kept } as never;
  const options = nextTokenKd.options.parse({ clip: 3 });
  expect(() => nextTokenKd.term(options, { classes: 4, heads: [head] })).toThrow(
    /no divergence, and has no bound/,
  );
});
