import { expect, test } from 'vitest';
import { randomStream } from '../../random.ts';
import { chosenPolicy, type ExitSamples, exitPolicies, exitTaken, leavingBy } from './choose-thresholds.ts';

/** Two exits before the end: who is sure there is right there more often. */
function samples(count: number, seed: string): ExitSamples {
  const stream = randomStream(5, seed);
  const confidence = [0, 1].map(() => Float32Array.from({ length: count }, () => stream.uniform()));
  const rights = (chance: (sample: number) => number) =>
    Uint8Array.from({ length: count }, (_, sample) => (stream.uniform() < chance(sample) ? 1 : 0));
  return {
    confidence,
    right: [
      ...confidence.map((own, exit) => rights((sample) => 0.4 + 0.1 * exit + 0.5 * (own[sample] as number))),
      rights(() => 0.95),
    ],
    costs: [10, 40, 100],
  };
}

test('policies go from the fastest to the one that lets none leave, and each slower one is better than the fastest', () => {
  const given = samples(400, 'path');
  const policies = exitPolicies(given);
  expect(policies[0]?.shares[0]).toBe(1);
  expect(policies.at(-1)).toMatchObject({ thresholds: [null, null], cost: 1, shares: [0, 0, 1] });
  policies.slice(1).forEach(({ cost, accuracy }, i) => {
    expect(cost).toBeGreaterThan(policies[i]?.cost as number);
    expect(accuracy).toBeGreaterThanOrEqual(policies[0]?.accuracy as number);
  });
});

test('the cheapest policy within the bound is chosen, and none where every one costs more', () => {
  const policies = exitPolicies(samples(400, 'bound'));
  const whole = policies.at(-1)!;
  const chosen = chosenPolicy(policies, 0.03);
  expect(chosen.cost).toBeLessThan(1);
  expect(whole.accuracy - chosen.accuracy).toBeLessThanOrEqual(0.03 + 1e-9);
  for (const { cost, accuracy } of policies)
    if (cost < chosen.cost) expect(whole.accuracy - accuracy).toBeGreaterThan(0.03);
  const useless: ExitSamples = {
    ...samples(50, 'x'),
    right: [0, 0, 1].map((right) => new Uint8Array(50).fill(right)),
  };
  expect(chosenPolicy(exitPolicies(useless), 0.1).thresholds).toEqual([null, null]);
});

test('no threshold is the confidence of a sample, and samples leave at the first exit that is sure enough', () => {
  const given = samples(100, 'between');
  const seen = new Set(given.confidence.flatMap((own) => [...own]));
  for (const { thresholds } of exitPolicies(given))
    for (const threshold of thresholds) expect(seen.has(threshold ?? -1)).toBe(false);
  const two = { confidence: [Float32Array.of(0.9, 0.2, 0.2), Float32Array.of(0.9, 0.7, 0.1)] };
  expect([0, 1, 2].map((sample) => exitTaken(two, [0.5, 0.6], sample))).toEqual([0, 1, 2]);
  const right = [
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 1],
  ].map((own) => Uint8Array.from(own));
  const policy = leavingBy({ ...two, right, costs: [1, 2, 4] }, [0.5, null]);
  expect(policy).toMatchObject({ accuracy: 1, shares: [1 / 3, 0, 2 / 3] });
  expect(policy.cost).toBeCloseTo((1 + 4 + 4) / 12, 12);
});
