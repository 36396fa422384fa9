import { describe, expect, it } from 'vitest';
import { loadGraph } from '../autodiff/testing/run-graph.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { float32, type Tensor, tensor, toNumbers } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { COEFFICIENTS, coefficientInput, dynamicWeights, EFFECT_INPUT } from '../weighting/dynamic.ts';
import { adamw } from './adamw.ts';
import { firstContents } from './carried.ts';
import { compileHyperStep, VALIDATION } from './compile-hyper-step.ts';
import { compileForward, compileStep, NEXT } from './compile-step.ts';
import { lion } from './lion.ts';
import type { Optimizer } from './optimizer.ts';
import { sgd } from './sgd.ts';
import { BATCH, CLASSES, toyBatches, toyTraining } from './testing/toy-training.ts';

const SIZES = { batch: BATCH, sequence: 4 };
const names = ['kd', 'labels'];
const { student, terms } = toyTraining();
const weights = { names, classes: CLASSES };
/** Far from 0, where all rows would be weighed alike. */
const COEFFICIENT_VALUES = { alpha: [0.7, -0.4], beta: [-0.9, 0.3], gamma: [0.2, 1.1] };
const EFFECT = [0.6, -0.4];

/** A batch whose rows the teacher finds hard or easy, with rows that have no label and one that only fills. */
function batchOf(number: number): Record<string, Tensor> {
  const { feeds } = toyBatches().batch({ epoch: number, index: 0 });
  const random = randomStream(3, number);
  return {
    ...feeds,
    labels: tensor(
      'int32',
      [BATCH],
      Int32Array.from(feeds.labels.data as Int32Array, (label, i) => (i % 5 === 0 ? -1 : label)),
    ),
    row_weights: float32(Array.from({ length: BATCH }, (_, i) => (i === BATCH - 1 ? 0 : 1))),
    'knowledge/logits': float32(
      Array.from(
        feeds['knowledge/logits'].data as Float32Array,
        (x) => x * random.uniform() + random.normal(),
      ),
      [BATCH, CLASSES],
    ),
  };
}

function settingsOf(coefficients: Record<string, readonly number[]>, learningRate: number, step: number) {
  return {
    ...Object.fromEntries(
      Object.entries(coefficients).map(([name, values]) => [
        coefficientInput(name as 'alpha'),
        float32(values),
      ]),
    ),
    [EFFECT_INPUT]: float32(EFFECT),
    learning_rate: float32([learningRate], []),
    step: float32([step], []),
  };
}

/** The student after some steps, its optimizer's averages with it. */
async function trained(
  optimizer: Optimizer,
  learningRate: number,
  steps: number,
  maxGradNorm?: number,
  from: { terms?: readonly ObjectiveTerm[]; state?: Record<string, Tensor> } = {},
) {
  const step = compileStep({
    student,
    sizes: SIZES,
    terms: from.terms ?? terms,
    optimizer,
    maxGradNorm,
    weighting: dynamicWeights(weights),
  });
  const run = await loadGraph(step.graph);
  let state: Record<string, Tensor> = from.state ?? firstContents(step.carried);
  const next = async (coefficients: Record<string, readonly number[]>, number: number) => {
    const out = await run({
      ...state,
      ...batchOf(number),
      ...settingsOf(coefficients, learningRate, number + 1),
    });
    return Object.fromEntries(Object.keys(state).map((name) => [name, out[name + NEXT] as Tensor]));
  };
  for (let number = 0; number < steps; number++) state = await next(COEFFICIENT_VALUES, number);
  return { state, next };
}

/** The validation loss in float64, from the float32 logits. */
async function validationLoss(batch: Record<string, Tensor>) {
  const run = await loadGraph(compileForward(student, SIZES));
  return async (parameters: Record<string, Tensor>) => {
    const { logits } = await run({ ...parameters, ...batch });
    const rows = batch.row_weights.data as Float32Array;
    const labels = batch.labels.data as Int32Array;
    let sum = 0;
    let count = 0;
    for (let row = 0; row < BATCH; row++) {
      if (rows[row] === 0 || labels[row] < 0) continue;
      const own = Array.from((logits.data as Float32Array).subarray(row * CLASSES, (row + 1) * CLASSES));
      const total = own.reduce((all, x) => all + Math.exp(x), 0);
      sum += Math.log(total) - own[labels[row]];
      count++;
    }
    return sum / count;
  };
}

/** What the graph says of the step after `steps` ones. */
async function hyperStep(
  optimizer: Optimizer,
  state: Record<string, Tensor>,
  held: Record<string, Tensor>,
  { rate, steps, limit }: { rate: number; steps: number; limit?: number | undefined },
) {
  const run = await loadGraph(
    compileHyperStep({ student, sizes: SIZES, terms, optimizer, maxGradNorm: limit, weights }),
  );
  return run({
    ...state,
    ...batchOf(steps),
    ...settingsOf(COEFFICIENT_VALUES, rate, steps + 1),
    ...Object.fromEntries(Object.entries(held).map(([name, content]) => [VALIDATION + name, content])),
  });
}

describe('compileHyperStep', () => {
  it.each<[string, Optimizer, number, number, number | undefined]>([
    ['sgd with momentum', sgd({ momentum: 0.9, weightDecay: 5e-4 }), 0.5, 3, undefined],
    ['sgd, its norm limited', sgd(), 2, 2, 0.05],
    ['adamw, its norm limited', adamw(), 0.02, 2, 0.1],
    ['adamw after some steps', adamw({ weightDecay: 0.01 }), 0.05, 4, undefined],
  ])('is the slope of the validation loss after one step of %s', async (_, optimizer, rate, steps, limit) => {
    const { state, next } = await trained(optimizer, rate, steps, limit);
    const held = batchOf(100);
    const loss = await validationLoss(held);
    const found = await hyperStep(optimizer, state, held, { rate, steps, limit });
    expect(found.validation_loss.data[0]).toBeCloseTo(await loss(await next(COEFFICIENT_VALUES, steps)), 5);

    const numeric: number[] = [];
    const h = 0.03;
    for (const coefficient of COEFFICIENTS) {
      for (let term = 0; term < names.length; term++) {
        const at = async (change: number) => {
          const values = COEFFICIENT_VALUES[coefficient].map((x, i) => (i === term ? x + change : x));
          return loss(await next({ ...COEFFICIENT_VALUES, [coefficient]: values }, steps));
        };
        // Five points: the error is of the fourth order in h, which may then be large against float32's rounding.
        const [near, far] = [(await at(h)) - (await at(-h)), (await at(2 * h)) - (await at(-2 * h))];
        numeric.push((8 * near - far) / (12 * h));
      }
    }
    const exact = COEFFICIENTS.flatMap((name) => toNumbers(found[`gradient/${name}`]));
    const size = Math.max(...numeric.map(Math.abs));
    expect(size).toBeGreaterThan(1e-5);
    exact.forEach((value, i) => {
      expect(Math.abs(value - (numeric[i] as number))).toBeLessThan(0.01 * size);
    });
  });

  it('tells what each term does for the validation loss', async () => {
    const optimizer = sgd();
    const held = batchOf(100);
    const loss = await validationLoss(held);
    const { state } = await trained(optimizer, 0.5, 2);
    const found = await hyperStep(optimizer, state, held, { rate: 0.5, steps: 2 });
    for (const [i, name] of names.entries()) {
      const [more, less] = [await lossWith(i, 1.005), await lossWith(i, 0.995)];
      expect(found[`effect/${name}`].data[0]).toBeCloseTo(-(more - less) / 0.01, 4);
    }

    async function lossWith(index: number, times: number) {
      const scaled = terms.map((term, i) => (i === index ? { ...term, weight: term.weight * times } : term));
      const { next } = await trained(optimizer, 0.5, 0, undefined, { terms: scaled, state });
      return loss(await next(COEFFICIENT_VALUES, 2));
    }
  });

  it.each<[string, Optimizer]>([
    ['adamw', adamw()],
    ['lion', lion()],
  ])('has a slope through %s also in its first step, where some averages are 0', async (_, optimizer) => {
    const { state } = await trained(optimizer, 0.01, 0);
    const found = await hyperStep(optimizer, state, batchOf(100), { rate: 0.01, steps: 0 });
    const slopes = COEFFICIENTS.flatMap((name) => toNumbers(found[`gradient/${name}`]));
    for (const slope of slopes) expect(Number.isFinite(slope)).toBe(true);
    expect(slopes.some((slope) => slope !== 0)).toBe(true);
  });
});
