import { expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { type KeptForm, likeliestTokens, sampledTokens, uniformOfPrefix } from './kept-form.ts';

const VOCABULARY = 12;

async function run(
  build: (g: GraphBuilder, logits: TypedValue, ids: TypedValue, mask: TypedValue) => TypedValue,
  { logits, ids, mask }: { logits: Tensor; ids: number[][]; mask?: number[][] },
): Promise<Float32Array> {
  const [rows, length] = [ids.length, ids[0]!.length];
  const g = new GraphBuilder();
  const inputs = [
    g.input('logits', 'float32', ['batch', 'sequence', VOCABULARY]),
    g.input('ids', 'int64', ['batch', 'sequence']),
    g.input('mask', 'int64', ['batch', 'sequence']),
  ] as const;
  g.output(build(g, ...inputs), 'kept');
  const session = await createNodeEngine({ threads: 1 }).load(writeModel(g.build('kept')));
  const int64 = (values: number[][]) =>
    tensor('int64', [rows, length], BigInt64Array.from(values.flat(), BigInt));
  const feeds = { logits, ids: int64(ids), mask: int64(mask ?? ids.map((row) => row.map(() => 1))) };
  const { kept } = await session.run(feeds, { kept: null });
  await session.release();
  return kept!.data as Float32Array;
}

const keep = (form: KeptForm) => (g: GraphBuilder, logits: TypedValue, ids: TypedValue, mask: TypedValue) =>
  form.build(g, logits, ids, mask);

const random = randomStream(3, 'kept form');
const logitsOf = (tokens: number) =>
  float32(
    Array.from({ length: tokens * VOCABULARY }, () => 2 * random.normal()),
    [1, tokens, VOCABULARY],
  );
const softmax = (logits: ArrayLike<number>) => {
  const powers = Array.from(logits, Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
};

test('the likeliest tokens come with their probabilities, from the likeliest on', async () => {
  const logits = logitsOf(2);
  const kept = await run(keep(likeliestTokens(3)), { logits, ids: [[1, 2]] });
  for (const token of [0, 1]) {
    const expected = softmax(
      (logits.data as Float32Array).subarray(token * VOCABULARY, (token + 1) * VOCABULARY),
    )
      .map((probability, id) => ({ id, probability }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 3);
    expect([...kept.subarray(6 * token, 6 * token + 3)]).toEqual(expected.map(({ id }) => id));
    expected.forEach(({ probability }, i) => {
      expect(kept[6 * token + 3 + i]).toBeCloseTo(probability, 6);
    });
  }
});

// The same distribution again and again, after ever other tokens: each time another draw.
test.each([1, 0.7])('the mean of draws by p^%f is the whole distribution', async (power) => {
  const [tokens, draws] = [4000, 8];
  const one = logitsOf(1).data as Float32Array;
  const logits = float32(Array.from({ length: tokens }, () => [...one]).flat(), [1, tokens, VOCABULARY]);
  const ids = [Array.from({ length: tokens }, (_, i) => (i * 7919) % 5000)];
  const kept = await run(keep(sampledTokens(draws, power)), { logits, ids });
  const [sums, squares] = [new Float64Array(VOCABULARY), new Float64Array(VOCABULARY)];
  for (let token = 0; token < tokens; token++) {
    const weights = new Float64Array(VOCABULARY);
    for (let i = 0; i < draws; i++)
      weights[kept[2 * draws * token + i]!]! += kept[2 * draws * token + draws + i]!;
    weights.forEach((weight, id) => {
      sums[id]! += weight;
      squares[id]! += weight ** 2;
    });
  }
  softmax(one).forEach((probability, id) => {
    const mean = sums[id]! / tokens;
    const deviation = Math.sqrt(Math.max(0, squares[id]! / tokens - mean ** 2) / tokens);
    expect(Math.abs(mean - probability), `token ${id}`).toBeLessThan(4 * deviation + 1e-5);
  });
});

test('tokens without a draw come last, with the weight 0', async () => {
  const logits = float32([20, ...Array.from({ length: VOCABULARY - 1 }, () => 0)], [1, 1, VOCABULARY]);
  const kept = await run(keep(sampledTokens(4)), { logits, ids: [[5]] });
  expect([...kept]).toEqual([0, expect.any(Number), expect.any(Number), expect.any(Number), 1, 0, 0, 0]);
});

test('numbers of prefixes are even in [0, 1), and depend neither on padding nor on what comes later', async () => {
  const tokens = 6000;
  const ids = Array.from({ length: tokens }, (_, i) => (i * i) % 97);
  const numbers = (own: number[][], mask?: number[][]) =>
    run((g, _, given, kept) => uniformOfPrefix(g, given, kept), {
      logits: float32([], [own.length, 0, VOCABULARY]),
      ids: own,
      ...(mask && { mask }),
    });
  const found = await numbers([ids]);
  const bins = new Float64Array(20);
  for (const number of found) {
    expect(number).toBeGreaterThanOrEqual(0);
    expect(number).toBeLessThan(1);
    bins[Math.floor(number * bins.length)]!++;
  }
  const expected = tokens / bins.length;
  const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // The 99.9 % quantile of chi-square with 19 degrees of freedom.
  expect(chiSquare).toBeLessThan(43.8);
  const [first, second, third] = ids as [number, number, number];
  const padded = await numbers([[0, 0, first, second, third, 9]], [[0, 0, 1, 1, 1, 0]]);
  expect([...padded.subarray(2, 5)]).toEqual([...found.subarray(0, 3)]);
});

test.each([
  ['likeliest', likeliestTokens(VOCABULARY + 3)],
  ['drawn', sampledTokens(VOCABULARY + 3, 0.5)],
])('more %s tokens than the vocabulary has are all of it, and nothing more', async (_, form) => {
  const logits = logitsOf(2);
  const kept = await run(keep(form), { logits, ids: [[1, 2]] });
  const width = VOCABULARY + 3;
  expect(kept).toHaveLength(2 * 2 * width);
  for (const token of [0, 1]) {
    const row = kept.subarray(2 * width * token, 2 * width * (token + 1));
    const ids = row.subarray(0, VOCABULARY);
    expect([...ids].sort((a, b) => a - b)).toEqual(Array.from({ length: VOCABULARY }, (_, id) => id));
    expect([...row.subarray(width + VOCABULARY)]).toEqual([0, 0, 0]);
  }
});
