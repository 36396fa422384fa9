import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { meanSquaredError } from '../objectives/mean-squared-error.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { carriedSpecs, firstContents } from './carried.ts';
import { type CompiledStep, compileStep } from './compile-step.ts';
import { sgd } from './sgd.ts';
import { AUXILIARY } from './step-graph.ts';

/** hidden = x w, logits = hidden v: everything can be worked out by hand. */
function student(): Student {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 2]);
  const hidden = g.identity(g.matMul(x, g.initializer('w', float32([1, 2], [2, 1]))), 'hidden');
  g.output(g.matMul(hidden, g.initializer('v', float32([3], [1, 1]))), 'logits');
  return { graph: g.build('student'), parameters: ['w', 'v'] };
}

const step = (term: ObjectiveTerm, seed = 1) =>
  compileStep({
    student: student(),
    sizes: { batch: 2 },
    terms: [term],
    optimizer: sgd({ momentum: 0, nesterov: false, weightDecay: 0 }),
    seed,
  });

async function run(compiled: ReturnType<typeof step>, feeds: Record<string, ReturnType<typeof float32>>) {
  const session = await createNodeEngine().load(writeModel(compiled.graph));
  const found = await session.run({
    learning_rate: float32([0.1], []),
    step: float32([1], []),
    ...firstContents(compiled.carried),
    w: float32([1, 2], [2, 1]),
    v: float32([3], [1, 1]),
    ...feeds,
  });
  await session.release();
  return found;
}

describe('a term of the loss', () => {
  it('brings parameters of its own, which are trained, drawn by the seed, and no part of the student', async () => {
    const projected: ObjectiveTerm = {
      name: 'projected',
      weight: 1,
      build: (g, inputs) =>
        meanSquaredError(g, {
          prediction: g.matMul(
            inputs.student('hidden'),
            inputs.parameter('projection', [1, 2], (random) => Float32Array.of(random.normal(), 1)),
          ),
          target: inputs.knowledge('hidden', [2]),
          rowWeights: inputs.rowWeights(),
        }),
    };
    const compiled = step(projected);
    const auxiliaryOf = ({ carried }: CompiledStep) => carried.find(({ role }) => role === 'auxiliary')!;
    const { spec, initial } = auxiliaryOf(compiled);
    expect(spec).toEqual({ name: `${AUXILIARY}projection`, type: 'float32', dims: [1, 2] });
    expect(initial?.data).toEqual(auxiliaryOf(step(projected)).initial?.data);
    expect(initial?.data).not.toEqual(auxiliaryOf(step(projected, 2)).initial?.data);
    expect(carriedSpecs(compiled.carried, 'parameter').map(({ name }) => name)).toEqual(['w', 'v']);
    expect(compiled.batchInputs.map(({ name }) => name)).toEqual(['x', 'knowledge/hidden', 'row_weights']);
    const found = await run(compiled, {
      x: float32([1, 0, 0, 1], [2, 2]),
      'knowledge/hidden': float32([0, 0, 0, 0], [2, 2]),
      row_weights: float32([1, 0]),
      [spec.name]: float32([4, 1], [1, 2]),
    });
    // hidden = 1 in the row that counts; loss = (4^2 + 1^2) / 2, and its slope by the projection is (4, 1).
    expect(found.loss.data[0]).toBeCloseTo(8.5, 5);
    expect([...found[`${spec.name}/next`].data].map((value) => Math.round(1000 * Number(value)))).toEqual([
      3600, 900,
    ]);
    expect(found['v/next'].data[0]).toBe(3);
  });

  it('runs the student again on other inputs and other inner values, with the same parameters', async () => {
    const again: ObjectiveTerm = {
      name: 'again',
      weight: 1,
      build(g, inputs) {
        const doubled = inputs.rerun(new Map([['x', g.mul(inputs.student('x'), 2)]]));
        const shifted = inputs.rerun(new Map([['hidden', g.add(inputs.student('hidden'), 10)]]));
        const sum = g.add(doubled('logits'), shifted('logits'));
        return { values: g.squeeze(sum, [1]), weights: inputs.rowWeights() };
      },
    };
    const found = await run(step(again), { x: float32([1, 0, 0, 1], [2, 2]), row_weights: float32([1, 1]) });
    // Rows: hidden is 1 and 2, logits 2 * 3 + 11 * 3 = 39 and 4 * 3 + 12 * 3 = 48; d/dv = (2 + 11 + 4 + 12) / 2.
    expect(found.loss.data[0]).toBeCloseTo(43.5, 4);
    expect(found['v/next'].data[0]).toBeCloseTo(3 - 0.1 * 14.5, 4);
    // What stands in the place of `hidden` has it in itself: both runs reach w, by 2 v and by v.
    expect([...found['w/next'].data].map((value) => Math.round(1000 * Number(value)))).toEqual([550, 1550]);
  });
});
