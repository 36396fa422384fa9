import { expect, it } from 'vitest';
import { float32 } from '../onnx/tensor.ts';
import { findTarget } from '../targets/index.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';
import { lossAndGradient } from './testing/loss-case.ts';
import { type Divergence, tokenDivergence, tokenDivergences } from './token-divergence.ts';

const [ROWS, TOKENS, CLASSES] = [3, 3, 4];
const dims = [ROWS, TOKENS, CLASSES];
const [own, given] = [numbers(36, 2), numbers(36, 7)];
/** The first row has two tokens, the second counts half, the third does not count. */
const rowWeights = float32([1, 0.5, 0]);
const mask = [1, 1, 0, 1, 1, 1, 1, 1, 1];
const weights = mask.map((one, i) => one * [1, 0.5, 0][Math.floor(i / TOKENS)]!);

const softmax = (values: readonly number[], token: number, temperature: number) => {
  const powers = values.slice(token * CLASSES, (token + 1) * CLASSES).map((x) => Math.exp(x / temperature));
  const sum = powers.reduce((total, x) => total + x, 0);
  return powers.map((x) => x / sum);
};

const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0);
const kl = (p: readonly number[], q: readonly number[]) => sum(p.map((x, i) => x * Math.log(x / q[i]!)));
const mixed = (p: readonly number[], q: readonly number[], part: number) =>
  p.map((x, i) => part * x + (1 - part) * q[i]!);

type Formula = (p: readonly number[], q: readonly number[]) => number;

/** As the papers write them: P the teacher's, Q the student's. */
const FORMULAS: [Divergence, mix: number, Formula][] = [
  ['kl', 0.5, (p, q) => kl(p, q)],
  ['reverse-kl', 0.5, (p, q) => kl(q, p)],
  ['skew-kl', 0.1, (p, q) => kl(p, mixed(p, q, 0.1))],
  ['skew-reverse-kl', 0.1, (p, q) => kl(q, mixed(p, q, 0.9))],
  ['js', 0.3, (p, q) => 0.3 * kl(p, mixed(p, q, 0.3)) + 0.7 * kl(q, mixed(p, q, 0.3))],
  ['total-variation', 0.5, (p, q) => sum(p.map((x, i) => Math.abs(x - q[i]!))) / 2],
];

for (const [divergence, mix, formula] of FORMULAS) {
  const losses = weights.map(
    (weight, token) => weight * formula(softmax(given, token, 2), softmax(own, token, 2)),
  );
  describeRowLoss(`divergence of tokens: ${divergence}`, {
    inputs: {
      student: float32(own, dims),
      teacher: float32(given, dims),
      mask: float32(mask, [ROWS, TOKENS]),
      rowWeights,
    },
    student: ['student'],
    // Its gradient is a constant of the step.
    smooth: false,
    build: (g, v) =>
      tokenDivergence(g, {
        student: v.student!,
        teacher: v.teacher!,
        tokenWeights: g.mul(v.mask!, g.unsqueeze(v.rowWeights!, [1])),
        temperature: 2,
        divergence,
        mix,
        // Two tokens a part, the last part has one.
        part: 2 * CLASSES,
      }),
    expected: (4 * sum(losses)) / sum(weights),
  });
}

const TENSORS = {
  student: float32(own, dims),
  teacher: float32(given, dims),
  weights: float32(weights, [ROWS, TOKENS]),
};

it('is the same in parts of any size', async () => {
  const run = (part: number) =>
    lossAndGradient(TENSORS, 'student', (g, v) =>
      tokenDivergence(g, {
        student: v.student!,
        teacher: v.teacher!,
        tokenWeights: v.weights!,
        temperature: 1,
        divergence: 'js',
        mix: 0.5,
        part,
      }),
    );
  const whole = await run(1e9);
  for (const part of [1, 3 * CLASSES, 5 * CLASSES]) {
    const { value, gradient } = await run(part);
    expect(value).toBeCloseTo(whole.value, 6);
    gradient.forEach((slope, i) => void expect(slope).toBeCloseTo(whole.gradient[i]!, 6));
  }
});

it('counts a token no more than its bound, and pulls no more beyond it', async () => {
  const tokens = weights.map((_, token) => kl(softmax(given, token, 1), softmax(own, token, 1)));
  // Between the losses of the tokens that count.
  const counting = tokens.filter((_, token) => weights[token]! > 0).sort((a, b) => a - b);
  const clip = (counting[1]! + counting[2]!) / 2;
  const { value, gradient } = await lossAndGradient(TENSORS, 'student', (g, v) =>
    tokenDivergence(g, {
      student: v.student!,
      teacher: v.teacher!,
      tokenWeights: v.weights!,
      temperature: 1,
      divergence: 'kl',
      mix: 0.5,
      clip,
    }),
  );
  const bounded = tokens.map((loss, token) => weights[token]! * Math.min(loss, clip));
  expect(value).toBeCloseTo(sum(bounded) / sum(weights), 5);
  tokens.forEach((loss, token) => {
    const slopes = gradient.slice(token * CLASSES, (token + 1) * CLASSES);
    expect(
      slopes.some((slope) => slope !== 0),
      `token ${token}`,
    ).toBe(weights[token]! > 0 && loss < clip);
  });
});

it('is finite where a distribution has next to nothing of what the other says', async () => {
  const far = { student: float32([200, 0, -200], [1, 1, 3]), teacher: float32([-200, 0, 200], [1, 1, 3]) };
  for (const [divergence, mix] of FORMULAS) {
    const { value, gradient } = await lossAndGradient(far, 'student', (g, v) =>
      tokenDivergence(g, {
        student: v.student!,
        teacher: v.teacher!,
        tokenWeights: g.fill([1, 1], 1),
        temperature: 1,
        divergence,
        mix,
      }),
    );
    expect(Number.isFinite(value), divergence).toBe(true);
    expect(value, divergence).toBeGreaterThan(0.5);
    expect(gradient.every(Number.isFinite), divergence).toBe(true);
  }
});

it('is refused where only a part of the answers is kept, and where a mixture is named in vain', () => {
  const kept = { title: 'the 32 likeliest tokens', entries: 32, kind: 'likeliest', build: () => undefined };
  const head = { output: 'logits', target: findTarget('next-tokens'), kept } as never;
  const term = (options: object, heads: never[] = []) =>
    tokenDivergences.term(tokenDivergences.options.parse(options), { classes: 4, heads });
  expect(() => term({}, [head])).toThrow(
    expect.objectContaining({
      code: 'recipe.invalid',
      where: expect.stringContaining('the 32 likeliest tokens are kept'),
      remedy: expect.stringContaining('keep: all'),
    }),
  );
  expect(() => term({ divergence: 'kl', mix: 0.5 })).toThrow(/kl has no mixture/);
  expect(term({ divergence: 'js', mix: 0.5 }).name).toBe('tokenDivergence');
});
