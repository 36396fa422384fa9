import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { adamw } from './adamw.ts';

/** AdamW as the paper writes it (algorithm 2), in double precision: an independent program to compare with. */
function reference(start: number[], gradients: number[][], rate: number, decay: number): number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const theta = [...start];
  const m = theta.map(() => 0);
  const v = theta.map(() => 0);
  gradients.forEach((gradient, i) => {
    theta.forEach((_, k) => {
      m[k] = beta1 * m[k] + (1 - beta1) * gradient[k];
      v[k] = beta2 * v[k] + (1 - beta2) * gradient[k] ** 2;
      const mHat = m[k] / (1 - beta1 ** (i + 1));
      const vHat = v[k] / (1 - beta2 ** (i + 1));
      theta[k] -= rate * (mHat / (Math.sqrt(vHat) + epsilon) + decay * theta[k]);
    });
  });
  return theta;
}

async function run(
  shape: number[],
  start: number[],
  gradients: number[][],
  rate: number,
  weightDecay: number,
) {
  const g = new GraphBuilder();
  const [p, dp, m, v] = ['p', 'dp', 'm', 'v'].map((name) => g.input(name, 'float32', shape));
  const scalars = { learningRate: g.input('rate', 'float32', []), step: g.input('step', 'float32', []) };
  const next = adamw({ weightDecay }).prepare(g, scalars)(p, dp, [m, v]);
  [next.parameter, ...next.state].forEach((value, i) => {
    g.output(value, ['p_next', 'm_next', 'v_next'][i]);
  });
  const session = await createNodeEngine().load(writeModel(g.build()));
  const zero = float32(
    start.map(() => 0),
    shape,
  );
  let state = { p: float32(start, shape), m: zero, v: zero };
  for (const [i, gradient] of gradients.entries()) {
    const feeds = {
      ...state,
      dp: float32(gradient, shape),
      rate: float32([rate], []),
      step: float32([i + 1], []),
    };
    const out = await session.run(feeds);
    state = { p: out.p_next as never, m: out.m_next as never, v: out.v_next as never };
  }
  await session.release();
  return Array.from(state.p.data as Float32Array);
}

it('updates as the paper says', async () => {
  const random = randomStream(5, 'adamw');
  const start = Array.from({ length: 6 }, () => random.normal());
  const gradients = Array.from({ length: 12 }, () => start.map(() => random.normal()));
  const expected = reference(start, gradients, 0.01, 0.1);
  const found = await run([2, 3], start, gradients, 0.01, 0.1);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
});

it('does not decay vectors: biases and scales', async () => {
  const start = [1, -2];
  const gradients = [[0.5, -0.5]];
  const [expected, found] = [
    reference(start, gradients, 0.01, 0),
    await run([2], start, gradients, 0.01, 0.1),
  ];
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 6);
  });
});
