import { describe, expect, it } from 'vitest';
import { checkGradients } from '../autodiff/testing/check-gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { crossEntropy } from './cross-entropy.ts';
import { kdLogits } from './kd-logits.ts';
import { nextTokenCrossEntropy } from './next-token.ts';
import { meanLoss, type TermLoss } from './objective.ts';

const engine = createNodeEngine();

/** The value of a scalar built over inputs. */
async function lossOf(
  inputs: Record<string, Tensor>,
  build: (g: GraphBuilder, values: Record<string, TypedValue>) => TermLoss,
): Promise<number> {
  const g = new GraphBuilder();
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims }]) => [name, g.input(name, type, dims)]),
  );
  g.output(meanLoss(g, build(g, values)), 'loss');
  const session = await engine.load(writeModel(g.build()));
  const { loss } = await session.run(inputs);
  await session.release();
  return Number(loss.data[0]);
}

const ln = Math.log;

describe('kdLogits', () => {
  // Logits that are logs of probabilities, so that the softmax gives those back and the KL can be written down.
  const teacher = float32([ln(0.5), ln(0.25), ln(0.25), 0, 0, 0], [2, 3]);
  const student = float32([ln(0.25), ln(0.5), ln(0.25), 0, 0, 0], [2, 3]);
  const build = (temperature: number) => (g: GraphBuilder, v: Record<string, TypedValue>) =>
    kdLogits(g, { student: v.student, teacher: v.teacher, rowWeights: v.weights, temperature });

  it('is the KL divergence, averaged over the rows that count', async () => {
    // 0.5 ln(0.5 / 0.25) + 0.25 ln(0.25 / 0.5) = 0.25 ln 2; the second row has none.
    const both = await lossOf({ student, teacher, weights: float32([1, 1]) }, build(1));
    expect(both).toBeCloseTo((0.25 * ln(2)) / 2, 6);
    const first = await lossOf({ student, teacher, weights: float32([1, 0]) }, build(1));
    expect(first).toBeCloseTo(0.25 * ln(2), 6);
  });

  it('softens both sides and multiplies by the squared temperature', async () => {
    // With temperature 2 the teacher is proportional to (sqrt 2, 1, 1), the student to (1, sqrt 2, 1).
    const root = Math.SQRT2;
    const kl = ((root - 1) * ln(root)) / (root + 2);
    const value = await lossOf({ student, teacher, weights: float32([1, 0]) }, build(2));
    expect(value).toBeCloseTo(4 * kl, 6);
  });

  it('is zero, not NaN, when no row counts', async () => {
    expect(await lossOf({ student, teacher, weights: float32([0, 0]) }, build(2))).toBe(0);
  });

  it('has the gradient of finite differences', async () => {
    await checkGradients({
      inputs: [{ shape: [4, 5] }],
      type: 'float32',
      build: (g, [student]) => {
        const teacher = g.initializer(
          'teacher',
          float32(
            Array.from({ length: 20 }, (_, i) => Math.sin(i)),
            [4, 5],
          ),
        );
        const rowWeights = g.initializer('weights', float32([1, 1, 0, 1]));
        return meanLoss(g, kdLogits(g, { student, teacher, rowWeights, temperature: 3 }));
      },
    });
  });
});

describe('crossEntropy', () => {
  const logits = float32([ln(0.5), ln(0.25), ln(0.25), ln(0.1), ln(0.2), ln(0.7)], [2, 3]);
  const build = (smoothing: number) => (g: GraphBuilder, v: Record<string, TypedValue>) =>
    crossEntropy(g, { logits: v.logits, labels: v.labels, rowWeights: v.weights, smoothing });
  const inputs = (labels: number[]) => ({
    logits,
    labels: tensor('int32', [2], Int32Array.from(labels)),
    weights: float32([1, 1]),
  });

  it("is minus the log of the label's probability, averaged", async () => {
    expect(await lossOf(inputs([0, 1]), build(0))).toBeCloseTo((ln(2) + ln(5)) / 2, 6);
  });

  it('leaves out rows without a label, and is zero without any', async () => {
    expect(await lossOf(inputs([-1, 2]), build(0))).toBeCloseTo(-ln(0.7), 6);
    expect(await lossOf(inputs([-1, -1]), build(0))).toBe(0);
  });

  it('spreads the smoothed mass over all classes', async () => {
    const even = -(ln(0.1) + ln(0.2) + ln(0.7)) / 3;
    expect(await lossOf(inputs([-1, 2]), build(0.1))).toBeCloseTo(0.9 * -ln(0.7) + 0.1 * even, 6);
  });

  it('has the gradient of finite differences', async () => {
    await checkGradients({
      inputs: [{ shape: [4, 5] }],
      type: 'float32',
      build: (g, [x]) =>
        meanLoss(
          g,
          crossEntropy(g, {
            logits: x,
            labels: g.initializer('labels', tensor('int32', [4], Int32Array.of(0, 4, -1, 2))),
            rowWeights: g.initializer('weights', float32([1, 1, 1, 0])),
            smoothing: 0.1,
          }),
        ),
    });
  });
});

describe('nextTokenCrossEntropy', () => {
  const build = (g: GraphBuilder, v: Record<string, TypedValue>) =>
    nextTokenCrossEntropy(g, {
      logits: v.logits,
      ids: v.ids,
      attentionMask: v.mask,
      rowWeights: v.weights,
    });
  // Of two classes; after each token, the probability of 1 is 1/2, 1/4, 1/8.
  const row = [0, 0, ln(3), 0, ln(7), 0];
  const logits = float32([...row, ...row], [2, 3, 2]);

  it("is minus the log of the next token's probability, averaged over tokens that have one before them", async () => {
    const inputs = { logits, ids: tensor('int64', [2, 3], BigInt64Array.from([0n, 1n, 1n, 1n, 0n, 0n])) };
    const mask = (values: bigint[]) => tensor('int64', [2, 3], BigInt64Array.from(values));
    const whole = { ...inputs, mask: mask([1n, 1n, 1n, 1n, 1n, 1n]) };
    expect(await lossOf({ ...whole, weights: float32([1, 0]) }, build)).toBeCloseTo((ln(2) + ln(4)) / 2, 6);
    const padded = { ...inputs, mask: mask([1n, 1n, 1n, 1n, 1n, 0n]) };
    const expected = (ln(2) + ln(4) + ln(2)) / 3;
    expect(await lossOf({ ...padded, weights: float32([1, 1]) }, build)).toBeCloseTo(expected, 6);
  });

  it('is zero for texts of one token', async () => {
    const inputs = {
      logits: float32([1, 2], [1, 1, 2]),
      ids: tensor('int64', [1, 1], BigInt64Array.of(1n)),
      mask: tensor('int64', [1, 1], BigInt64Array.of(1n)),
      weights: float32([1]),
    };
    expect(await lossOf(inputs, build)).toBe(0);
  });
});
