import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { weightedMean } from '../objectives/objective.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { carriedSpecs } from './carried.ts';
import { compileStep } from './compile-step.ts';
import { sgd } from './sgd.ts';

const [MEAN, VARIANCE] = [2, 4];

/** logits = w batchnorm(x) without an epsilon: with the running mean and variance above in its evaluation form. */
function student(): Student {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 1]);
  const one = (name: string, value: number) => g.initializer(name, float32([value]));
  const [y, mean, variance] = g.node(
    'BatchNormalization',
    [x, one('scale', 1), one('bias', 0), one('mean', MEAN), one('variance', VARIANCE)],
    { training_mode: 1, epsilon: { kind: 'float', value: 0 } },
    { outputs: 3 },
  );
  g.identity(mean as typeof x, 'next_mean');
  g.identity(variance as typeof x, 'next_variance');
  g.output(g.mul(g.identity(y as typeof x, 'hidden'), one('w', 3)), 'logits');
  return { graph: g.build('student'), parameters: ['w', 'scale', 'bias'] };
}

/** Runs one step whose loss is what `build` makes of the student, and returns its outputs. */
async function step(build: ObjectiveTerm['build'], rows: readonly number[]): Promise<Record<string, Tensor>> {
  const compiled = compileStep({
    student: student(),
    sizes: { batch: rows.length },
    terms: [{ name: 'told', weight: 1, build }],
    optimizer: sgd({ momentum: 0, nesterov: false, weightDecay: 0 }),
  });
  const content: Record<string, number> = { w: 3, scale: 1, bias: 0, mean: MEAN, variance: VARIANCE };
  const carried = carriedSpecs(compiled.carried);
  const feeds = Object.fromEntries(
    carried.map(({ name, dims }) => [
      name,
      float32(new Float32Array(dims[0] ?? 1).fill(content[name] ?? 0), dims),
    ]),
  );
  const session = await createNodeEngine({ threads: 1 }).load(writeModel(compiled.graph));
  const given: Record<string, Tensor> = {
    ...feeds,
    x: float32(rows, [rows.length, 1]),
    learning_rate: float32([0], []),
    step: float32([1], []),
  };
  const named = Object.fromEntries(session.inputNames.map((name) => [name, given[name] as Tensor]));
  const found = await session.run(named);
  await session.release();
  return found;
}

const sumOfRun =
  (
    how: Parameters<Parameters<ObjectiveTerm['build']>[1]['rerun']>[1],
    replaced?: number,
  ): ObjectiveTerm['build'] =>
  (g, inputs) => {
    const x = inputs.student('x');
    const rows = how?.rows ?? (x.shape[0] as number);
    const other = replaced === undefined ? [] : [['x', g.fill([rows, 1], replaced)] as const];
    return g.reduceSum(inputs.rerun(new Map(other), how)('logits'), { keepDims: false });
  };
const lossOf = async (build: ObjectiveTerm['build'], rows: readonly number[]) =>
  Number((await step(build, rows)).loss?.data[0]);

describe('the student once more', () => {
  it('in its evaluation form normalises by the running statistics', async () => {
    // 3 (x - 2) / 2 for 4 and 10.
    expect(await lossOf(sumOfRun({ form: 'evaluation' }), [4, 10])).toBeCloseTo(3 + 12, 4);
    expect(await lossOf(sumOfRun({ form: 'evaluation' }, 6), [4, 10])).toBeCloseTo(2 * 6, 4);
  });

  it('on the first rows alone, by their own statistics', async () => {
    // Of 0 and 4 the mean is 2, the deviation 2: what is told of the first row of two is -3, whatever comes after.
    const first: ObjectiveTerm['build'] = (g, inputs) =>
      g.reduceSum(g.slice(inputs.rerun(new Map(), { rows: 2 })('logits'), 0, 0, 1), { keepDims: false });
    expect(await lossOf(first, [0, 4, 100, -50])).toBeCloseTo(-3, 4);
    expect(await lossOf(sumOfRun({ rows: 1, form: 'evaluation' }), [4, 100])).toBeCloseTo(3, 4);
  });

  it('leaves the running statistics to the run that trains', async () => {
    const plain: ObjectiveTerm['build'] = (g, inputs) =>
      weightedMean(g, g.squeeze(inputs.student('logits'), [1]), g.fill([2], 1));
    const again: ObjectiveTerm['build'] = (g, inputs) =>
      g.add(
        plain(g, inputs) as ReturnType<typeof weightedMean>,
        g.mul(sumOfRun({}, 50)(g, inputs) as never, 1),
      );
    const [one, other] = [await step(plain, [4, 10]), await step(again, [4, 10])];
    for (const name of ['mean/next', 'variance/next']) expect(other[name]?.data).toEqual(one[name]?.data);
    expect(one['mean/next']?.data[0]).not.toBe(MEAN);
  });
});
