import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Student } from '../../students/student.ts';
import { compileFisher } from '../../train/compile-fisher.ts';
import { Springs } from './springs.ts';

/** logits = x W, three classes over two features. */
function linearStudent(): Student {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 2]);
  const w = g.initializer('w', float32([0, 0, 0, 0, 0, 0], [2, 3]));
  g.output(g.identity(g.matMul(x, w)), 'logits');
  return { graph: g.build('linear'), parameters: ['w'] };
}

it('the Fisher graph squares the gradient for the answer that is drawn, among the competing classes', async () => {
  const graph = compileFisher(linearStudent(), { batch: 1 }, [[0, 1]]);
  const session = await createNodeEngine().load(writeModel(graph));
  const run = async (gumbel: number[]) => {
    const results = await session.run({
      x: float32([1, 2], [1, 2]),
      w: float32([0, 0, 9, 0, 0, 9], [2, 3]),
      labels: tensor('int32', [1], Int32Array.of(1)),
      gumbel: float32(gumbel, [1, 3]),
    });
    return [...(results['fisher/w'].data as Float32Array)];
  };
  // p = (1/2, 1/2, 0): d log p_0 / d W = x (1/2, -1/2, 0), and so squared whatever is drawn.
  for (const gumbel of [
    [1, 0, 5],
    [0, 1, 5],
  ]) {
    for (const [i, value] of (await run(gumbel)).entries())
      expect(value).toBeCloseTo([0.25, 0.25, 0, 1, 1, 0][i] as number, 5);
  }
  await session.release();
});

it('the answer follows the noise', async () => {
  const session = await createNodeEngine().load(
    writeModel(compileFisher(linearStudent(), { batch: 1 }, [[0, 1, 2]])),
  );
  const run = async (gumbel: number[]) => {
    const results = await session.run({
      x: float32([1, 0], [1, 2]),
      w: float32([Math.log(2), 0, 0, 0, 0, 0], [2, 3]),
      labels: tensor('int32', [1], Int32Array.of(0)),
      gumbel: float32(gumbel, [1, 3]),
    });
    return [...(results['fisher/w'].data as Float32Array).subarray(0, 3)];
  };
  // p = (1/2, 1/4, 1/4): (e_y - p) squared.
  const near = (found: number[], expected: number[]) => {
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
  };
  near(await run([0, 0, 0]), [1 / 4, 1 / 16, 1 / 16]);
  near(await run([0, 3, 0]), [1 / 4, 9 / 16, 1 / 16]);
  await session.release();
});

it('springs of several tasks are one, whose pull is that of their sum', () => {
  const springs = new Springs(linearStudent());
  const add = (importance: number[], parameter: number) =>
    springs.add(
      new Map([['w', Float64Array.from(importance)]]),
      new Map([['w', new Float32Array(6).fill(parameter)]]),
    );
  add([1, 0, 2, 0, 0, 0], 1);
  add([3, 0, 0, 1, 0, 0], 2);
  const feeds = springs.feeds();
  expect([...(feeds['ewc/importance/w'].data as Float32Array)]).toEqual([4, 0, 2, 1, 0, 0]);
  expect([...(feeds['ewc/anchor/w'].data as Float32Array)]).toEqual([1.75, 0, 1, 2, 0, 0]);
});
