import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classCodes } from './class-codes.ts';
import { labelShares, logprobProblem } from './class-scores.ts';
import type { AnsweredToken } from './reply.ts';

const at = (token: string, chances: Record<string, number>): AnsweredToken => ({
  token,
  logprob: Math.log(chances[token] as number),
  top: Object.entries(chances).map(([name, chance]) => ({ token: name, logprob: Math.log(chance) })),
});

describe('codes', () => {
  test('are letters, and numbers of one length beyond 26', () => {
    expect(classCodes(3)).toEqual(['A', 'B', 'C']);
    expect(classCodes(120).slice(0, 2)).toEqual(['001', '002']);
  });

  test('are all different, and none begins another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1200 }), (count) => {
        const codes = classCodes(count);
        const lengths = new Set(codes.map(({ length }) => length));
        return new Set(codes).size === count && lengths.size === 1;
      }),
      { numRuns: 30 },
    );
  });
});

describe('shares of labels', () => {
  test('are the probabilities of the first token, also with a space or in small letters', () => {
    const { shares, outside } = labelShares([at('A', { A: 0.5, ' B': 0.2, b: 0.1, The: 0.2 })], ['A', 'B']);
    expect(shares[0]).toBeCloseTo(0.5);
    expect(shares[1]).toBeCloseTo(0.3);
    expect(outside).toBeCloseTo(0.2);
  });

  test('of labels that begin alike follow the chosen token, and share the others', () => {
    const labels = ['noun.act', 'noun.food', 'verb'];
    const tokens = [
      at('noun', { noun: 0.9, verb: 0.1 }),
      at('.', { '.': 1 }),
      at('act', { act: 0.75, food: 0.25 }),
    ];
    const { shares, outside } = labelShares(tokens, labels);
    expect([...shares].map((share) => Number(share.toFixed(4)))).toEqual([0.675, 0.225, 0.1]);
    expect(outside).toBeCloseTo(0);
    const cut = labelShares([at('verb', { noun: 0.4, verb: 0.6 })], labels);
    expect([...cut.shares].map((share) => Number(share.toFixed(4)))).toEqual([0.2, 0.2, 0.6]);
  });

  test('of labels that are not listed are what is left, no more than the least that is listed', () => {
    const { shares, outside } = labelShares([at('A', { A: 0.6, B: 0.3 })], ['A', 'B', 'C', 'D']);
    expect(shares[2]).toBeCloseTo(0.05);
    expect(outside).toBeCloseTo(0);
    const far = labelShares([at('A', { A: 0.5, B: 0.01 })], ['A', 'B', 'C']);
    expect(far.shares[2]).toBeCloseTo(0.01);
    expect(far.outside).toBeCloseTo(0.48);
  });

  test('and what is outside sum to 1, whatever tokens there are', () => {
    const token = fc.constantFrom('A', 'B', ' a', '0', '01', '1', 'noun', '.', 'The', '');
    const place = fc.uniqueArray(token, { minLength: 1, maxLength: 6 }).chain((names) =>
      fc
        .array(fc.double({ min: 0.01, max: 1, noNaN: true }), {
          minLength: names.length,
          maxLength: names.length,
        })
        .map((weights) => {
          const sum = weights.reduce((a, b) => a + b, 0) * 1.1;
          return at(
            names[0] as string,
            Object.fromEntries(names.map((name, i) => [name, (weights[i] as number) / sum])),
          );
        }),
    );
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), (tokens) => {
        const { shares, outside } = labelShares(tokens, ['A', 'B', '01', 'noun.act', 'noun.food']);
        const sum = shares.reduce((a, b) => a + b, 0) + outside;
        return Math.abs(sum - 1) < 1e-9 && shares.every((share) => share >= 0) && outside >= -1e-12;
      }),
    );
  });
});

describe('lies', () => {
  test.each([
    ['above 0', 'A', { token: 'A', logprob: 0.5, top: [] }, /log-probability of 'A' is 0.5/],
    ['no number', 'A', { token: 'A', logprob: Number.NaN, top: [] }, /NaN/],
    ['too much in all', 'A', at('A', { A: 0.8, B: 0.7 }), /sum to 1.50/],
    ['two for one token', 'A', { ...at('A', { A: 0.05, B: 0.9 }), logprob: -0.01 }, /'A' has two log-prob/],
    [
      'too much with the chosen one',
      'A',
      { token: 'A', logprob: -0.1, top: [{ token: 'B', logprob: -0.1 }] },
      /'A' and its alternatives sum to 1.81/,
    ],
    ['another answer', 'A', at('Hello', { Hello: 0.9 }), /spell 'Hello'/],
  ])('%s', (_, text, token, problem) => {
    expect(logprobProblem(text, [token])).toMatch(problem);
  });

  test('are not seen where there are none', () => {
    expect(logprobProblem('A', [at('A', { A: 0.6, B: 0.3 })])).toBeUndefined();
    expect(logprobProblem('Aß', [at('bytes:\\xc3', { 'bytes:\\xc3': 0.6 })])).toBeUndefined();
  });
});
