import { describe, expect, test } from 'vitest';
import { randomStream } from '../random.ts';
import { betterOrder, signTest } from './class-order.ts';
import { skillOf } from './skill.ts';

/** Answers of a classifier that is right with `accuracy`, else gives any class, and calls class k `names[k]`. */
function answers({
  classes,
  samples,
  accuracy,
  names = (k: number) => k,
  shares,
  seed = 1,
}: {
  classes: number;
  samples: number;
  accuracy: number;
  names?: (k: number) => number;
  shares?: readonly number[];
  seed?: number;
}) {
  const random = randomStream(seed, 'answers');
  const counts = new Float64Array(classes * classes);
  const draw = () => {
    if (!shares) return Math.floor(random.uniform() * classes);
    const place = random.uniform();
    return shares.findIndex((_, k) => place < shares.slice(0, k + 1).reduce((sum, share) => sum + share, 0));
  };
  for (let i = 0; i < samples; i++) {
    const truth = draw();
    const answer = random.uniform() < accuracy ? truth : draw();
    counts[truth * classes + names(answer)]! += 1;
  }
  return { classes, counts };
}

test('the sign test is that of the binomial distribution', () => {
  expect(signTest(3, 0)).toBeCloseTo(1 / 8, 12);
  expect(signTest(2, 1)).toBeCloseTo(1 / 2, 12);
  expect(signTest(0, 5)).toBeCloseTo(1, 12);
  expect(signTest(60, 40)).toBeCloseTo(0.0284439668, 9);
  expect(signTest(3000, 0)).toBe(0);
});

describe('another order', () => {
  test('a shifted order is found', () => {
    const table = answers({ classes: 4, samples: 150, accuracy: 0.95, names: (k) => (k + 1) % 4 });
    const order = betterOrder(table);
    expect(order).toMatchObject({ answerOf: [1, 2, 3, 0], moved: [0, 1, 2, 3] });
    expect(order!.rightAfter / 150).toBeGreaterThan(0.9);
    expect(order!.rightBefore / 150).toBeLessThan(0.1);
  });

  test('two swapped classes of twelve are found, though the rest is right', () => {
    const swap = (k: number) => (k === 3 ? 7 : k === 7 ? 3 : k);
    const order = betterOrder(answers({ classes: 12, samples: 200, accuracy: 0.9, names: swap }));
    expect(order?.moved).toEqual([3, 7]);
    expect(order?.answerOf[3]).toBe(7);
  });

  test('a class without samples takes the place that is left', () => {
    // Of five outputs three have samples; class 0 is called 4.
    const table = answers({
      classes: 5,
      samples: 120,
      accuracy: 0.95,
      shares: [0.4, 0.3, 0.3, 0, 0],
      names: (k) => (k === 0 ? 4 : k === 4 ? 0 : k),
    });
    expect(betterOrder(table)).toMatchObject({ answerOf: [4, 1, 2, 3, 0], moved: [0, 4] });
  });

  test('is found by accident in less than one of a hundred tables', () => {
    let found = 0;
    for (let seed = 0; seed < 300; seed++) {
      const classes = 2 + (seed % 9);
      // The poorer the classifier, the more an order may fit by accident.
      const accuracy = (seed % 4) / 4;
      if (betterOrder(answers({ classes, samples: 20 + (seed % 200), accuracy, seed }))) found++;
    }
    expect(found).toBeLessThanOrEqual(3);
  });

  test('a thousand classes take a moment', () => {
    const table = answers({ classes: 1000, samples: 4000, accuracy: 0.8 });
    const start = performance.now();
    expect(betterOrder(table)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('skill', () => {
  test('a classifier that knows something is better than chance, whatever the sizes of the classes', () => {
    expect(skillOf(answers({ classes: 4, samples: 150, accuracy: 0.5 })).verdict).toBe('better');
    expect(skillOf(answers({ classes: 1000, samples: 500, accuracy: 0.05 })).verdict).toBe('better');
    // Less often right than one that always says the most frequent class, and still of use.
    const counts = [930, 20, 30, 20];
    expect(skillOf({ classes: 2, counts })).toMatchObject({ accuracy: 0.95, verdict: 'better' });
    expect(skillOf({ classes: 2, counts }).chance).toBeCloseTo(0.914, 9);
  });

  test('guesses, constant answers and swapped classes are chance', () => {
    expect(skillOf(answers({ classes: 4, samples: 150, accuracy: 0 })).verdict).toBe('chance');
    expect(skillOf({ classes: 2, counts: [900, 0, 100, 0] })).toMatchObject({
      accuracy: 0.9,
      verdict: 'chance',
    });
    expect(skillOf({ classes: 2, counts: [0, 10, 10, 0] }).verdict).toBe('chance');
    expect(
      skillOf({ classes: 4, counts: new Array(16).fill(0).map((_, i) => (i % 5 === 1 ? 8 : 0)) }).verdict,
    ).toBe('chance');
  });

  test('few samples are not taken for proof', () => {
    expect(skillOf({ classes: 2, counts: [1, 1, 1, 1] }).verdict).toBe('unclear');
    expect(skillOf({ classes: 2, counts: [95, 0, 5, 0] }).verdict).toBe('unclear');
    // One class alone says nothing.
    expect(skillOf({ classes: 2, counts: [3, 97, 0, 0] }).verdict).toBe('unclear');
    expect(skillOf({ classes: 2, counts: [0, 0, 0, 0] })).toMatchObject({ samples: 0, verdict: 'unclear' });
  });

  test.each([8, 12, 20, 40, 100])('a useful teacher is hardly ever stopped by %i samples', (samples) => {
    let stopped = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const table = answers({ classes: 2 + (seed % 5), samples, accuracy: 0.4, seed });
      if (skillOf(table).verdict === 'chance') stopped++;
    }
    expect(stopped).toBeLessThanOrEqual(15);
  });
});
