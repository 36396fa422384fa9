import { float32, tensor } from '../onnx/tensor.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';
import { tokenCrossEntropy, tokenKdLogits } from './token-classes.ts';

const [ROWS, TOKENS, CLASSES] = [3, 4, 3];
const dims = [ROWS, TOKENS, CLASSES];
const [own, given] = [numbers(36, 2), numbers(36, 7)];
/** The first row has three tokens, the second counts half, the third does not count. */
const rowWeights = float32([1, 0.5, 0]);
const mask = [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1];
const weights = mask.map((one, i) => one * [1, 0.5, 0][Math.floor(i / TOKENS)]!);
const labels = [0, -1, 2, 1, 1, 1, 0, -1, 0, 0, 0, 0];

const logSoftmax = (values: readonly number[], token: number, temperature = 1) => {
  const scores = values.slice(token * CLASSES, (token + 1) * CLASSES).map((x) => x / temperature);
  const sum = scores.reduce((total, x) => total + Math.exp(x), 0);
  return scores.map((x) => x - Math.log(sum));
};

function overTokens(loss: (token: number) => number | undefined): number {
  let [sum, count] = [0, 0];
  weights.forEach((weight, token) => {
    const value = loss(token);
    if (value === undefined) return;
    sum += weight * value;
    count += weight;
  });
  return sum / Math.max(1, count);
}

describeRowLoss('cross-entropy of tokens', {
  inputs: {
    logits: float32(own, dims),
    labels: tensor('int32', [ROWS, TOKENS], Int32Array.from(labels)),
    mask: float32(mask, [ROWS, TOKENS]),
    rowWeights,
  },
  student: ['logits'],
  build: (g, v) =>
    tokenCrossEntropy(g, {
      logits: v.logits!,
      labels: v.labels!,
      tokenWeights: g.mul(v.mask!, g.unsqueeze(v.rowWeights!, [1])),
    }),
  expected: overTokens((token) =>
    labels[token]! < 0 ? undefined : -logSoftmax(own, token)[labels[token]!]!,
  ),
});

describeRowLoss('distillation of tokens', {
  inputs: {
    student: float32(own, dims),
    teacher: float32(given, dims),
    mask: float32(mask, [ROWS, TOKENS]),
    rowWeights,
  },
  student: ['student'],
  build: (g, v) =>
    tokenKdLogits(g, {
      student: v.student!,
      teacher: v.teacher!,
      tokenWeights: g.mul(v.mask!, g.unsqueeze(v.rowWeights!, [1])),
      temperature: 2,
    }),
  expected: overTokens((token) => {
    const [t, s] = [logSoftmax(given, token, 2), logSoftmax(own, token, 2)];
    return 4 * t.reduce((sum, log, i) => sum + Math.exp(log) * (log - s[i]!), 0);
  }),
});
