import { describe, expect, it } from 'vitest';
import { gradients } from '../../autodiff/gradients.ts';
import { checkGradients } from '../../autodiff/testing/check-gradients.ts';
import { loadGraph } from '../../autodiff/testing/run-graph.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../../onnx/tensor.ts';
import { SIZE_CHANNELS } from '../box-grid.ts';
import { targets } from '../index.ts';
import { HEAT_MAPS } from './heat-maps.ts';
import { type InnerKnowledge, isMeaningless, meant } from './inner-knowledge.ts';
import { A_NUMBER } from './numbers.ts';
import { ONE_CLASS } from './one-class.ts';
import { CLASSES_OF_PLACES } from './places.ts';
import { SEVERAL_CLASSES } from './several-classes.ts';
import { A_PAIR, A_VECTOR } from './vectors.ts';

const ROWS = 5;
const numbers = (count: number, seed: number, size = 2) =>
  Array.from({ length: count }, (_, i) => Math.fround(size * Math.sin(seed + 2.3 * i + 0.37 * i * i)));

/** Of each kind: the shape of its answers, and a truth in the form of its column. */
const KINDS: Record<string, { inner: InnerKnowledge; dims: number[]; truth: Tensor; masked?: boolean }> = {
  'one class': {
    inner: ONE_CLASS,
    dims: [ROWS, 4],
    truth: tensor('int32', [ROWS], Int32Array.of(0, 1, 2, 3, -1)),
  },
  'several classes': {
    inner: SEVERAL_CLASSES,
    dims: [ROWS, 4],
    truth: float32(
      Array.from({ length: 4 * ROWS }, (_, i) => ((i * 7) % 3) - 1),
      [ROWS, 4],
    ),
  },
  'a number': {
    inner: A_NUMBER,
    dims: [ROWS, 1],
    truth: float32([1, -2, 0.5, 3, Number.NaN], [ROWS, 1]),
  },
  'a vector': {
    inner: A_VECTOR,
    dims: [ROWS, 6],
    truth: float32([...numbers(24, 5), ...new Array(6).fill(Number.NaN)], [ROWS, 6]),
  },
  'a pair': { inner: A_PAIR, dims: [ROWS, 6], truth: float32(numbers(30, 5), [ROWS, 6]) },
  places: {
    inner: CLASSES_OF_PLACES,
    dims: [ROWS, 3, 4],
    truth: tensor(
      'int32',
      [ROWS, 3],
      Int32Array.from({ length: 3 * ROWS }, (_, i) => (i % 5) - 1),
    ),
    masked: true,
  },
  'heat maps': {
    inner: HEAT_MAPS,
    dims: [ROWS, SIZE_CHANNELS + 2, 3, 3],
    truth: float32(new Float32Array(ROWS * (SIZE_CHANNELS + 2) * 9), [ROWS, SIZE_CHANNELS + 2, 3, 3]),
  },
};

type Build = (g: GraphBuilder, v: Record<string, TypedValue>) => Record<string, TypedValue | undefined>;

async function run(feeds: Record<string, Tensor>, build: Build): Promise<Record<string, number[]>> {
  const g = new GraphBuilder();
  const values = Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims }]) => [name, g.input(name, type, dims)]),
  );
  for (const [name, value] of Object.entries(build(g, values))) if (value) g.output(value, name);
  const results = await (await loadGraph(g.build()))(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

const MASK = float32([1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0], [ROWS, 3]);

describe.each(Object.keys(KINDS))('inner knowledge of %s', (kind) => {
  const { inner, dims, truth, masked } = KINDS[kind] as (typeof KINDS)[string];
  const size = dims.reduce((product, dim) => product * dim, 1);
  const answers = float32(numbers(size, 1), dims);
  const teacher = float32(numbers(size, 2), dims);
  const feeds = { answers, teacher, truth, ...(masked && { mask: MASK }) };
  const measured: Build = (g, { answers, teacher, truth, mask }) => {
    const at = { answers: answers as TypedValue, teacher: teacher as TypedValue, mask, spread: 2 };
    const sure = meant(inner.confidence);
    const told = sure?.(g, { ...at, truth });
    return {
      uncertainty: meant(inner.uncertainty)?.(g, { answers: at.teacher, truth, mask, spread: 2 }),
      distance: meant(inner.distance)?.(g, at),
      itself: meant(inner.distance)?.(g, { ...at, teacher: at.answers }),
      confidence: told?.confidence,
      correct: told?.correct,
      alone: sure?.(g, { ...at, teacher: at.answers }).confidence,
    };
  };

  it('lies between 0 and 1, and nothing is apart from itself', async () => {
    const found = await run(feeds, measured);
    for (const [name, values] of Object.entries(found)) {
      expect(values, name).toHaveLength(ROWS);
      for (const value of values) {
        expect(value, name).toBeGreaterThanOrEqual(-1e-6);
        expect(value, name).toBeLessThanOrEqual(1 + 1e-6);
      }
    }
    if (found.itself) for (const value of found.itself) expect(value).toBeCloseTo(0, 5);
    if (found.distance) expect(Math.max(...found.distance)).toBeGreaterThan(0.01);
    expect('correct' in found).toBe(inner.judged);
    if (inner.judged) for (const right of found.correct as number[]) expect([0, 1]).toContain(right);
  });

  it('is finite where numbers are large, or all alike', async () => {
    for (const times of [0, 300]) {
      const scaled = (content: Tensor) =>
        float32(
          (content.data as Float32Array).map((x) => x * times),
          [...content.dims],
        );
      const found = await run({ ...feeds, answers: scaled(answers), teacher: scaled(teacher) }, measured);
      for (const values of Object.values(found)) expect(values.every(Number.isFinite)).toBe(true);
    }
  });

  it('does not let a gradient through what it measures of a student', async () => {
    const distance = meant(inner.distance);
    if (!distance) return;
    const g = new GraphBuilder();
    const [a, b] = [g.input('a', 'float32', dims), g.input('b', 'float32', dims)];
    const sum = g.reduceSum(distance(g, { answers: a, teacher: b }), { keepDims: false });
    expect(gradients(g, sum, [a])).toEqual([null]);
  });

  it('has reasons whose slopes, and theirs, are those of finite differences', async () => {
    const score = meant(inner.score);
    if (!score) {
      expect(isMeaningless(inner.score) && inner.score.because).toContain('text_embeds');
      return;
    }
    await checkGradients({
      type: 'float32',
      order: 2,
      inputs: [{ shape: dims, draw: (_, i) => (answers.data as Float32Array)[i] as number }],
      build: (g, [moved]) => {
        // Squared, so that there is a second derivative to be checked.
        const at = g.mul(moved as TypedValue, moved as TypedValue);
        return g.reduceSum(g.square(score(g, { answers: at, teacher: g.constant(teacher) })), {
          keepDims: false,
        });
      },
    });
  });
});

describe('what is worked out by hand', () => {
  const LOGITS = float32([3, -1, 0.5, -2, -4, -1], [2, 3]);

  it('several classes: the reasons are those of all that the teacher says yes to, else of the likeliest', async () => {
    const { score } = await run({ logits: LOGITS }, (g, { logits }) => ({
      score: meant(SEVERAL_CLASSES.score)?.(g, {
        answers: logits as TypedValue,
        teacher: logits as TypedValue,
      }),
    }));
    expect(score).toEqual([3.5, -1]);
  });

  it('several classes: the boundary is that of the class that is decided most narrowly', async () => {
    const boundary = meant(SEVERAL_CLASSES.boundary);
    const { margin } = await run(
      { answers: float32([1, 2, 3, 4, 5, 6], [2, 3]), logits: LOGITS },
      (g, { answers, logits }) => ({
        margin: boundary?.margin(g, { answers: answers as TypedValue, teacher: logits as TypedValue }),
      }),
    );
    // A yes of 0.5, and a no of -1: its margin is the other way round.
    expect(margin).toEqual([3, -6]);
    const { answer, margin: left } = boundary?.decided(Float32Array.of(3, -1, 0.5)) ?? {};
    expect(answer).toBe('0,2');
    expect(left).toBeCloseTo(2 / (1 + Math.exp(-0.5)) - 1, 6);
  });

  it('several classes: confidence is the geometric mean over known classes, right is who has all of them', async () => {
    const { confidence, correct } = await run(
      { logits: float32([0, 2, 5, 0.1, 2, -5], [2, 3]), truth: float32([1, -1, 0, 1, 1, 0], [2, 3]) },
      (g, { logits, truth }) => ({
        ...meant(SEVERAL_CLASSES.confidence)?.(g, { answers: logits as TypedValue, truth }),
      }),
    );
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    expect(confidence?.[0]).toBeCloseTo(Math.sqrt(0.5 * sigmoid(-5)), 5);
    expect(correct).toEqual([0, 1]);
  });

  it('a number is as sure as a normal error of the spread of the data is probable', async () => {
    const { confidence } = await run(
      { answers: float32([3, 1], [2, 1]), truth: float32([1, Number.NaN], [2, 1]) },
      (g, { answers, truth }) => ({
        ...meant(A_NUMBER.confidence)?.(g, { answers: answers as TypedValue, truth, spread: 2 }),
      }),
    );
    expect(confidence?.[0]).toBeCloseTo(Math.exp(-0.5), 6);
    expect(confidence?.[1]).toBe(1);
  });

  it('a vector of length 1 has reasons although the cosine to itself has no slope', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1, 3]);
    const unit = g.div(x, g.sqrt(g.reduceSumSquare(x, { axes: [1] })));
    const score = meant(A_VECTOR.score)?.(g, { answers: unit, teacher: unit }) as TypedValue;
    const [slope] = gradients(g, g.reduceSum(score, { keepDims: false }), [x]);
    g.output(slope as TypedValue, 'slope');
    const found = await (await loadGraph(g.build()))({ x: float32([1, 2, -2], [1, 3]) });
    // (1, 1, 0) without its part along (1, 2, -2) / 3, by the length 3.
    const slopes = [...(found.slope as Tensor & { data: Float32Array }).data];
    [2 / 9, 1 / 9, 2 / 9].forEach((value, i) => {
      expect(slopes[i]).toBeCloseTo(value, 5);
    });
  });

  it('tokens that are padding have no part in anything', async () => {
    const of = (last: number) =>
      run(
        {
          answers: float32([1, 0, 2, 0, 0, last], [1, 3, 2]),
          mask: float32([1, 1, 0], [1, 3]),
        },
        (g, { answers, mask }) => {
          const at = { answers: answers as TypedValue, teacher: answers as TypedValue, mask };
          return {
            score: meant(CLASSES_OF_PLACES.score)?.(g, at),
            uncertainty: meant(CLASSES_OF_PLACES.uncertainty)?.(g, at),
            ...meant(CLASSES_OF_PLACES.confidence)?.(g, at),
            classes: CLASSES_OF_PLACES.classScores?.(g, at.answers, { mask }),
          };
        },
      );
    expect(await of(9)).toEqual(await of(-9));
    expect((await of(9)).score).toEqual([3]);
  });
});

it('every target says of everything what it is, or why it is nothing', () => {
  for (const { kind, inner } of targets()) {
    expect(inner, kind).toBeDefined();
    for (const meaning of Object.values(inner ?? {}))
      if (isMeaningless(meaning)) expect(meaning.because).toMatch(/^[a-z].{15,}[^.]$/);
  }
});
