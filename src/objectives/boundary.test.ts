import { describe, expect, it } from 'vitest';
import { loadGraph } from '../autodiff/testing/run-graph.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { classLogit, secondClass, topClass } from '../targets/inner/class-logit.ts';
import { boundary } from './boundary.ts';
import { boundaryAttack } from './boundary-attack.ts';
import type { ObjectiveInputs } from './objective.ts';
import { lossAndGradient } from './testing/loss-case.ts';
import { trainObjective } from './testing/train-objective.ts';

/** Runs a graph over named inputs and returns its one output. */
async function resultOf(
  inputs: Record<string, Tensor>,
  build: (g: GraphBuilder, v: Record<string, TypedValue>) => TypedValue,
): Promise<number[]> {
  const g = new GraphBuilder();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims }]) => [name, g.input(name, type, dims)]),
  );
  g.output(g.cast(build(g, values), 'float32'), 'y');
  const { y } = await (await loadGraph(g.build()))(inputs);
  return Array.from(y?.data as Float32Array);
}

describe('the attack', () => {
  // Logits are the elements themselves: from class 0 to 1 the first falls and the second rises, the third stays.
  const moved = (x: number[], options: { epsilon: number; steps: number }) =>
    resultOf({ x: float32(x, [x.length / 3, 3]) }, (g, v) => {
      const rows = x.length / 3;
      const to = (place: 0 | 1) => g.constant(int64(new Array<number>(rows).fill(place)));
      const margin = (logits: TypedValue) =>
        g.sub(classLogit(g, logits, to(0)), classLogit(g, logits, to(1)));
      return boundaryAttack(g, v.x as TypedValue, margin, options);
    });

  it('moves along the sign of the gradient, by epsilon of the root mean square', async () => {
    // sqrt((9 + 16 + 25) / 3) = 4.0825
    const size = 0.1 * Math.sqrt(50 / 3);
    const found = await moved([5, 3, 4], { epsilon: 0.1, steps: 1 });
    for (const [i, wanted] of [-size, size, 0].entries()) expect(found[i]).toBeCloseTo(wanted, 5);
    const inTwo = await moved([5, 3, 4], { epsilon: 0.1, steps: 2 });
    for (const [i, wanted] of [-size, size, 0].entries()) expect(inTwo[i]).toBeCloseTo(wanted, 5);
  });

  it('rests where the boundary is crossed', async () => {
    // The first step of 1 crosses from (2, 1) to (1, 2); the second row was beyond it from the start.
    const root = Math.sqrt((4 + 1 + 1 + 4) / 6);
    const found = await moved([2, 1, 0, 1, 2, 0], { epsilon: 4 / root, steps: 4 });
    for (const [i, wanted] of [-1, 1, 0, 0, 0, 0].entries()) expect(found[i]).toBeCloseTo(wanted, 5);
  });
});

it('the second class is another one, also where logits tie', async () => {
  const logits = { x: float32([1, 1, 1, 0, 5, 5, 2, 9, 3], [3, 3]) };
  const top = await resultOf(logits, (g, v) => topClass(g, v.x as TypedValue));
  const second = await resultOf(logits, (g, v) =>
    secondClass(g, v.x as TypedValue, topClass(g, v.x as TypedValue)),
  );
  expect([top, second]).toEqual([
    [0, 1, 1],
    [1, 2, 2],
  ]);
});

const anatomy: ModelAnatomy = { family: 'other', layers: [], features: 'pixels', logits: 'logits' };
const context = { classes: 2, models: { student: anatomy, teacher: anatomy, layers: [] } };

/** A linear student over two pixels. */
function inputsOf(g: GraphBuilder, v: Record<string, TypedValue>): ObjectiveInputs {
  const logitsAt = (pixels: TypedValue) => g.matMul(g.reshape(pixels, [-1, 2]), v.w as TypedValue);
  return {
    student: (name: string) =>
      (name === 'pixels' ? v.pixels : logitsAt(v.pixels as TypedValue)) as TypedValue,
    rerun: (replaced: ReadonlyMap<string, TypedValue>) => () =>
      logitsAt(replaced.get('pixels') as TypedValue),
    knowledge: () => v.given as TypedValue,
    input: () => v.rowWeights as TypedValue,
  } as unknown as ObjectiveInputs;
}

describe('boundary', () => {
  const inputs = {
    pixels: float32([1, 1, 1, 1, 7, 7, 7, 7], [4, 1, 1, 2]),
    w: float32([1, 0, 0, 1], [2, 2]),
    given: float32([1, 0, 1, 0, 0, 0, 0, 0], [4, 2]),
    rowWeights: float32([1, 1, 1, 1]),
  };
  const lossWith = (
    changed: Record<string, Tensor> = {},
    options: Record<string, unknown> = {},
    graph = {},
  ) =>
    lossAndGradient({ ...inputs, ...changed }, 'w', (g, v) =>
      boundary
        .term(boundary.options.parse({ weight: 1, temperature: 1, part: 0.5, ...options }), {
          ...context,
          ...graph,
        })
        .build(g, inputsOf(g, v)),
    );
  const kl = (p: number, q: number) => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  it('asks the student at the attacked rows for what the teacher said of the clean ones', async () => {
    // The margin is 0 at (1, 1): nothing moves. With (2, 1) it is 1, and a tenth of sqrt(2.5) each way.
    expect((await lossWith()).value).toBeCloseTo(kl(sigmoid(1), 0.5), 5);
    const pixels = float32([2, 1, 2, 1, 7, 7, 7, 7], [4, 1, 1, 2]);
    const margin = 1 - 0.2 * Math.sqrt(2.5);
    expect((await lossWith({ pixels })).value).toBeCloseTo(kl(sigmoid(1), sigmoid(margin)), 5);
  });

  it('counts the first rows alone, and is 0 when none of them counts', async () => {
    const none = await lossWith({ rowWeights: float32([0, 0, 1, 1]) });
    expect(none.value).toBe(0);
    expect(none.gradient.every((x) => Math.abs(x) === 0)).toBe(true);
  });

  it('may ask the teacher itself at the attacked rows', async () => {
    const g = new GraphBuilder();
    const x = g.input('pixels', 'float32', ['n', 1, 1, 2]);
    g.output(g.identity(g.mul(g.reshape(x, [-1, 2]), 3), 'logits'));
    const pixels = float32([2, 1, 2, 1, 7, 7, 7, 7], [4, 1, 1, 2]);
    const margin = 1 - 0.2 * Math.sqrt(2.5);
    const { value } = await lossWith({ pixels }, { target: 'teacher' }, { teacherGraph: g.build() });
    expect(value).toBeCloseTo(kl(sigmoid(3 * margin), sigmoid(margin)), 5);
  });

  it.each(['image', 'text'] as const)('teaches a student of %ss', async (family) => {
    const losses = await trainObjective('boundary', family, { steps: 12, options: { part: 0.5, steps: 2 } });
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  });

  it('says what a model does not have', () => {
    const options = boundary.options.parse({ weight: 1, target: 'teacher' });
    expect(() => boundary.term(options, context)).toThrow("the teacher's model is not at hand");
    expect(() => boundary.term(options, { classes: 2 })).toThrow('not known here');
  });
});
