import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { checkGradients } from '../autodiff/testing/check-gradients.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { attributionObjective, attributionTerm } from './attribution.ts';
import { attributionMap, mapCosine } from './attribution-map.ts';
import type { ObjectiveInputs } from './objective.ts';
import { lossAndGradient } from './testing/loss-case.ts';
import { trainObjective } from './testing/train-objective.ts';

const anatomy: ModelAnatomy = { family: 'other', layers: [], features: 'pixels', logits: 'logits' };

/** A student of two classes over images of one row of two pixels: logits = pixels w, w [2, 2]. */
function inputsOf(g: GraphBuilder, v: Record<string, TypedValue>): ObjectiveInputs {
  const pixels = v.pixels as TypedValue;
  const logits = g.matMul(g.reshape(pixels, [-1, 2]), v.w as TypedValue);
  const values: Record<string, TypedValue> = { pixels, logits };
  return {
    student: (name: string) => values[name] as TypedValue,
    has: (name: string) => name in values,
    rerun: () => (name: string) => values[name] as TypedValue,
    knowledge: (tap: string) => (tap === 'logits' ? v.given : v.map) as TypedValue,
    input: () => v.rowWeights as TypedValue,
  } as unknown as ObjectiveInputs;
}

const inputs: Record<string, Tensor> = {
  pixels: float32([3, 4, 1, 1], [2, 1, 1, 2]),
  w: float32([1, 5, 1, -7], [2, 2]),
  // The first row is of the first class, in the second both tie: the first of them counts.
  given: float32([2, 1, 0, 0], [2, 2]),
  map: float32([0.6, 0.8, 1, 0], [2, 1, 2]),
  rowWeights: float32([1, 1]),
};
const build = (g: GraphBuilder, v: Record<string, TypedValue>) =>
  attributionTerm({ weight: 1, part: 1 }, { student: anatomy, teacher: anatomy }).build(g, inputsOf(g, v));

describe('attribution', () => {
  it('is 1 - cosine of gradient x input, of the class that the teacher ranks first', async () => {
    // By the first class both pixels have the slope 1: the maps are (3, 4) / 5 and (1, 1) / sqrt 2.
    const { value } = await lossAndGradient(inputs, 'w', build);
    expect(value).toBeCloseTo((0 + 1 - Math.SQRT1_2) / 2, 5);
  });

  it('turns the weights that the attributions come from', async () => {
    const only = { ...inputs, rowWeights: float32([0, 1]) };
    const { gradient } = await lossAndGradient(only, 'w', build);
    // Of 1 - w1 / |w| at (1, 1): -1/sqrt 2 + 1/(2 sqrt 2) by w1, 1/(2 sqrt 2) by w2; the second class has no part in it.
    const slope = 1 / (2 * Math.SQRT2);
    expect(gradient[0]).toBeCloseTo(-slope, 4);
    expect(gradient[2]).toBeCloseTo(slope, 4);
    expect([gradient[1], gradient[3]].map((x) => Math.abs(x as number))).toEqual([0, 0]);
  });

  it('is 0 when no row counts', async () => {
    const { value, gradient } = await lossAndGradient({ ...inputs, rowWeights: float32([0, 0]) }, 'w', build);
    expect(value).toBe(0);
    expect(gradient.every((x) => Math.abs(x) === 0)).toBe(true);
  });

  it('is finite where nothing matters to the student', async () => {
    const { value, gradient } = await lossAndGradient(
      { ...inputs, w: float32([0, 0, 0, 0], [2, 2]) },
      'w',
      build,
    );
    expect(value).toBeCloseTo(1, 6);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it('has the gradient of finite differences, through a gradient', async () => {
    await checkGradients({
      inputs: [{ shape: [4, 3] }, { shape: [3, 2] }],
      order: 1,
      build: (g, [w, v]) => {
        const random = Float64Array.from({ length: 3 * 2 * 4 }, (_, i) => Math.sin(3 * i + 1));
        const x = g.constant({ type: 'float64', dims: [3, 2, 4], data: random });
        const hidden = g.tanh(g.matMul(x, w as TypedValue));
        const logits = g.matMul(g.reduceSum(hidden, { axes: [1], keepDims: false }), v as TypedValue);
        const [slope] = gradients(g, g.reduceSum(g.slice(logits, 1, 0, 1), { keepDims: false }), [x]);
        const wanted = g.constant({
          type: 'float64',
          dims: [3, 2],
          data: Float64Array.of(1, 0, 0, 1, 0.6, 0.8),
        });
        return mapCosine(g, attributionMap(g, x, slope as TypedValue), wanted);
      },
    });
  });

  it('leaves padding out of the map of a text', async () => {
    const tokens = {
      x: float32([1, 2, 3, 4, 5, 6], [1, 3, 2]),
      slope: float32([1, 1, 1, 0, 9, 9], [1, 3, 2]),
    };
    const { value } = await lossAndGradient({ ...tokens, mask: float32([1, 1, 0], [1, 3]) }, 'x', (g, v) => {
      const map = attributionMap(g, v.x as TypedValue, v.slope as TypedValue, v.mask);
      // 3, 3 and nothing.
      return g.reduceSum(g.mul(map, g.constant(float32([1, 10, 100], [1, 3]))), { keepDims: false });
    });
    expect(value).toBeCloseTo(11 / Math.SQRT2, 4);
  });

  it.each(['image', 'text'] as const)(
    'brings a student of %ss nearer to the reasons of its teacher',
    async (family) => {
      const losses = await trainObjective('attribution', family, { steps: 12, options: { part: 1 } });
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] as number));
    },
  );

  it('says what a model does not have', () => {
    const options = attributionObjective.options.parse({ weight: 1 });
    const bare: ModelAnatomy = { family: 'other', layers: [] };
    const context = { classes: 2, models: { student: anatomy, teacher: bare, layers: [] } };
    expect(() => attributionObjective.knowledge?.(options, context)).toThrow(
      'the teacher shows neither pixels',
    );
    expect(() => attributionObjective.term(options, { classes: 2 })).toThrow('not known here');
  });
});
