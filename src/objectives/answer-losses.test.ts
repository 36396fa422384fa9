import { describe, expect, it } from 'vitest';
import { float32 } from '../onnx/tensor.ts';
import { binaryCrossEntropy, binaryKd } from './binary-cross-entropy.ts';
import { cosineError } from './cosine.ts';
import { huberError } from './huber.ts';
import { meanSquaredError } from './mean-squared-error.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';
import { lossAndGradient } from './testing/loss-case.ts';

const [ROWS, WIDTH] = [4, 3];
const weights = [1, 0.5, 0, 1];
const rowWeights = float32(weights);
const [own, given] = [numbers(ROWS * WIDTH, 1), numbers(ROWS * WIDTH, 5)];
const matrix = (values: readonly number[]) => float32([...values], [ROWS, WIDTH]);
const rowOf = (values: readonly number[], row: number) => values.slice(row * WIDTH, (row + 1) * WIDTH);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const mean = (values: readonly number[]) =>
  values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);

/** sum(w loss) / sum(w) over rows; a loss of undefined does not count. */
function overRows(loss: (row: number) => number | undefined): number {
  let [sum, count] = [0, 0];
  weights.forEach((weight, row) => {
    const value = loss(row);
    if (value === undefined) return;
    sum += weight * value;
    count += weight;
  });
  return sum / Math.max(1, count);
}

// The second row's first class is not known, the last row's none.
const classes = [1, 0, 1, -1, 1, 0, 0, 0, 1, -1, -1, -1];
describeRowLoss('binary cross-entropy', {
  inputs: { logits: matrix(own), labels: matrix(classes), rowWeights },
  student: ['logits'],
  build: (g, v) => binaryCrossEntropy(g, { logits: v.logits!, labels: v.labels!, rowWeights: v.rowWeights! }),
  expected: overRows((row) => {
    const known = rowOf(classes, row).flatMap((y, i) => {
      const p = sigmoid(rowOf(own, row)[i]!);
      return y < 0 ? [] : [-(y * Math.log(p) + (1 - y) * Math.log(1 - p))];
    });
    return known.length > 0 ? mean(known) : undefined;
  }),
});

describeRowLoss('binary distillation', {
  inputs: { student: matrix(own), teacher: matrix(given), rowWeights },
  student: ['student'],
  build: (g, v) =>
    binaryKd(g, { student: v.student!, teacher: v.teacher!, rowWeights: v.rowWeights!, temperature: 2 }),
  expected: overRows((row) =>
    mean(
      rowOf(own, row).map((x, i) => {
        const [p, q] = [sigmoid(rowOf(given, row)[i]! / 2), sigmoid(x / 2)];
        return 4 * (p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q)));
      }),
    ),
  ),
});

// NaN: the second row's last number is missing, and all of the last row.
const target = given.map((x, i) => (i === 5 || i >= 9 ? Number.NaN : x));
const known = (row: number, loss: (difference: number) => number) => {
  const losses = rowOf(target, row).flatMap((y, i) =>
    Number.isNaN(y) ? [] : [loss(rowOf(own, row)[i]! - y)],
  );
  return losses.length > 0 ? mean(losses) : undefined;
};
describeRowLoss('mean squared error', {
  inputs: { prediction: matrix(own), target: matrix(target), rowWeights },
  student: ['prediction'],
  build: (g, v) =>
    meanSquaredError(g, { prediction: v.prediction!, target: v.target!, rowWeights: v.rowWeights! }),
  expected: overRows((row) => known(row, (d) => d * d)),
});

describeRowLoss('Huber', {
  inputs: { prediction: matrix(own), target: matrix(target), rowWeights },
  student: ['prediction'],
  smooth: false,
  build: (g, v) =>
    huberError(g, { prediction: v.prediction!, target: v.target!, rowWeights: v.rowWeights! }, 0.8),
  expected: overRows((row) =>
    known(row, (d) => (Math.abs(d) < 0.8 ? (d * d) / 2 : 0.8 * (Math.abs(d) - 0.4))),
  ),
});

const vectors = given.map((x, i) => (i >= 9 ? Number.NaN : x));
describeRowLoss('cosine', {
  inputs: { embedding: matrix(own), target: matrix(vectors), rowWeights },
  student: ['embedding'],
  build: (g, v) => cosineError(g, { embedding: v.embedding!, target: v.target!, rowWeights: v.rowWeights! }),
  expected: overRows((row) => {
    const [a, b] = [rowOf(own, row), rowOf(vectors, row)];
    if (b.some(Number.isNaN)) return undefined;
    const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }),
});

describe('losses towards a teacher', () => {
  const same = { student: matrix(given), teacher: matrix(given), rowWeights };

  it('are 0 where the student says what the teacher says', async () => {
    const { value } = await lossAndGradient(same, 'student', (g, v) =>
      binaryKd(g, { student: v.student!, teacher: v.teacher!, rowWeights: v.rowWeights!, temperature: 3 }),
    );
    expect(value).toBeCloseTo(0, 5);
    const cosine = await lossAndGradient(same, 'student', (g, v) =>
      cosineError(g, { embedding: v.student!, target: v.teacher!, rowWeights: v.rowWeights! }),
    );
    expect(cosine.value).toBeCloseTo(0, 5);
  });
});
