import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkGradients } from '../autodiff/testing/check-gradients.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { dist } from './dist.ts';
import { decoupledKd } from './dkd.ts';
import { kdLogits, kdTerm } from './kd-logits.ts';
import { multiLevelKd } from './mlkd.ts';
import { meanLoss, type ObjectiveInputs, type RowLosses } from './objective.ts';
import { angleRelations, distanceRelations } from './relations.ts';
import { lossAndGradient } from './testing/loss-case.ts';

interface Fixtures {
  readonly rows: number;
  readonly classes: number;
  readonly student: number[];
  readonly teacher: number[];
  readonly labels: number[];
  readonly weights: number[];
  readonly cases: Record<string, { value: number; gradient: number[] }>;
}

// Made by scripts/objective-fixtures/task.py.
const fixtures: Fixtures = JSON.parse(
  readFileSync(join(import.meta.dirname, 'testing/task-fixtures.json'), 'utf8'),
);
const { rows, classes, labels, weights } = fixtures;

type Values = Record<'student' | 'teacher' | 'labels' | 'rowWeights', TypedValue>;
type Build = (g: GraphBuilder, values: Values) => RowLosses;

const LEVELS = { instance: 0, batch: 0, class: 0 };
const LOSSES: Record<string, Build> = {
  'kd standardized': (g, v) => kdLogits(g, { ...v, temperature: 2, standardize: true }),
  dkd: (g, v) => decoupledKd(g, { ...v, temperature: 4, alpha: 1, beta: 8 }),
  dist: (g, v) => dist(g, { ...v, temperature: 1, inter: 1, intra: 1 }),
  'dist softened': (g, v) => dist(g, { ...v, temperature: 4, inter: 2, intra: 0.5 }),
  mlkd: (g, v) => multiLevelKd(g, { ...v, temperatures: [2, 3, 4], instance: 1, batch: 1, class: 1 }),
  'mlkd of samples': (g, v) => multiLevelKd(g, { ...v, ...LEVELS, temperatures: [1], batch: 1 }),
  'mlkd of classes': (g, v) => multiLevelKd(g, { ...v, ...LEVELS, temperatures: [1], class: 1 }),
  'rkd distance': (g, v) => ({ values: distanceRelations(g, v), weights: v.rowWeights }),
  'rkd angle': (g, v) => ({ values: angleRelations(g, v, 32), weights: v.rowWeights }),
  'rkd angle in groups': (g, v) => ({ values: angleRelations(g, v, 4), weights: v.rowWeights }),
};

function inputsOf(changed: Partial<Record<keyof Values, Tensor>> = {}): Record<keyof Values, Tensor> {
  return {
    student: float32(fixtures.student, [rows, classes]),
    teacher: float32(fixtures.teacher, [rows, classes]),
    labels: tensor('int32', [rows], Int32Array.from(labels)),
    rowWeights: float32(weights),
    ...changed,
  };
}

const resultOf = (name: string, inputs = inputsOf()) =>
  lossAndGradient(inputs, 'student', (g, values) => (LOSSES[name] as Build)(g, values as Values));

describe.each(Object.keys(LOSSES))('%s', (name) => {
  it('has the value and the gradient of an independent program', async () => {
    const { value, gradient } = await resultOf(name);
    const expected = fixtures.cases[name] as { value: number; gradient: number[] };
    expect(value / expected.value).toBeCloseTo(1, 4);
    const scale = Math.max(...expected.gradient.map(Math.abs));
    expect(gradient.length).toBe(expected.gradient.length);
    for (const [i, slope] of expected.gradient.entries())
      expect((gradient[i] as number) / scale).toBeCloseTo(slope / scale, 4);
  });

  it('is 0 with a gradient of 0 when no row counts', async () => {
    const { value, gradient } = await resultOf(name, inputsOf({ rowWeights: float32([0, 0, 0, 0, 0, 0]) }));
    expect(value).toBe(0);
    expect(gradient.every((slope) => slope === 0)).toBe(true);
  });

  it('is finite where all logits tie, on either side', async () => {
    const tied = float32(new Float32Array(rows * classes), [rows, classes]);
    for (const changed of [{ student: tied }, { teacher: tied }, { student: tied, teacher: tied }]) {
      const { value, gradient } = await resultOf(name, inputsOf(changed));
      expect(Number.isFinite(value)).toBe(true);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });

  it('is 0 where the student says what the teacher says', async () => {
    const { value } = await resultOf(name, inputsOf({ student: inputsOf().teacher }));
    expect(Math.abs(value)).toBeLessThan(1e-5);
  });

  it('has the gradient of finite differences', async () => {
    await checkGradients({
      inputs: [{ shape: [rows, classes] }],
      type: 'float32',
      order: 1,
      build: (g, [student]) => {
        const constants = inputsOf();
        const given = (key: keyof Values) => g.initializer(key, constants[key]);
        const values = {
          student: student as TypedValue,
          teacher: given('teacher'),
          labels: given('labels'),
          rowWeights: given('rowWeights'),
        };
        return meanLoss(g, (LOSSES[name] as Build)(g, values));
      },
    });
  });
});

it('takes the temperature of a step that brings it', async () => {
  const temperature = float32([3], []);
  const { value } = await lossAndGradient({ ...inputsOf(), temperature }, 'student', (g, v) =>
    kdLogits(g, { ...(v as Values), temperature: v.temperature as TypedValue }),
  );
  const fixed = await lossAndGradient(inputsOf(), 'student', (g, v) =>
    kdLogits(g, { ...(v as Values), temperature: 3 }),
  );
  expect(value).toBeCloseTo(fixed.value, 6);
});

it('standardised, does not see the size of logits', async () => {
  const larger = float32(
    fixtures.student.map((x) => 30 * x + 7),
    [rows, classes],
  );
  const { value } = await resultOf('kd standardized', inputsOf({ student: larger }));
  expect(value).toBeCloseTo(fixtures.cases['kd standardized']?.value as number, 4);
});

describe('an assistant', () => {
  // A model of its own over an input of the student: its logits are twice what it is given.
  const b = new GraphBuilder();
  b.output(b.mul(b.input('features', 'float32', ['batch', classes]), 2), 'logits');
  const assistantGraph = b.build('assistant');
  const opinions = Array.from({ length: rows * classes }, (_, i) => Math.sin(3 * i));

  const resultOfTerm = (assistant: number, withGraph = true) => {
    const inputs = { ...inputsOf(), features: float32(opinions, [rows, classes]) };
    return lossAndGradient(inputs, 'student', (g, v) => {
      const values = v as Values & { features: TypedValue };
      const sources = {
        student: (name: string) => (name === 'logits' ? values.student : values.features),
        input: (name: string) => (name === 'knowledge/logits' ? values.teacher : values.rowWeights),
      } as unknown as ObjectiveInputs;
      const options = { weight: 1, temperature: 1, assistant };
      return kdTerm({ ...options, assistantGraph: withGraph ? assistantGraph : undefined }).build(g, sources);
    });
  };
  /** Towards logits that are written down beforehand. */
  const towards = (teacher: number[]) =>
    lossAndGradient(inputsOf({ teacher: float32(teacher, [rows, classes]) }), 'student', (g, v) =>
      kdLogits(g, { ...(v as Values), temperature: 1 }),
    );

  it('adds its log-probabilities to those of the teacher, as often as it counts', async () => {
    const { value, gradient } = await resultOfTerm(1.5);
    // What a softmax adds to all classes of a row alike does not matter.
    const expected = await towards(
      fixtures.teacher.map((logit, i) => logit + 1.5 * 2 * (opinions[i] as number)),
    );
    expect(value).toBeCloseTo(expected.value, 5);
    for (const [i, slope] of expected.gradient.entries()) expect(gradient[i]).toBeCloseTo(slope, 5);
    expect(Math.abs(value - (await towards(fixtures.teacher)).value)).toBeGreaterThan(0.01);
  });

  it('says nothing where it counts 0 times, or where there is none', async () => {
    const { value } = await towards(fixtures.teacher);
    expect((await resultOfTerm(0)).value).toBeCloseTo(value, 6);
    expect((await resultOfTerm(1.5, false)).value).toBeCloseTo(value, 6);
  });
});
