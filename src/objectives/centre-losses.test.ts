import { float32 } from '../onnx/tensor.ts';
import { centreFocalLoss } from './centre-focal.ts';
import { centreSizesLoss } from './centre-sizes.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';

const dims = [3, 2, 2, 3];
const PLACES = 12;
const weights = [1, 0, 1];
const rowWeights = float32(weights);
const logits = numbers(36, 4);
/** Two centres in the first row, one in the second, which does not count, none in the last; a corner is hidden. */
const heat = [
  [1, 0.6, 0.1, 0.5, 0.2, 0, 0, 0, 0.3, 0, 0.4, 1],
  [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0.1, 0, 0, 0, Number.NaN, 0, 0, 0, 0, 0.2, 0],
].flat();
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

let [loss, centres] = [0, 0];
heat.forEach((y, i) => {
  if (Number.isNaN(y) || weights[Math.floor(i / PLACES)] === 0) return;
  const p = sigmoid(logits[i]!);
  if (y === 1) centres++;
  loss -= y === 1 ? (1 - p) ** 2 * Math.log(p) : (1 - y) ** 4 * p ** 2 * Math.log(1 - p);
});

describeRowLoss('focal loss of centres', {
  inputs: { maps: float32(logits, dims), target: float32(heat, dims), rowWeights },
  student: ['maps'],
  build: (g, v) =>
    centreFocalLoss(
      g,
      { maps: v.maps!, target: v.target!, rowWeights: v.rowWeights! },
      { alpha: 2, beta: 4 },
    ),
  expected: loss / centres,
});

/** Sizes are known at two places of the first row, and at one of the others. */
const sizes = Array.from({ length: 36 }, (_, i) => {
  const [row, place] = [Math.floor(i / PLACES), i % 6];
  return place === 1 || (row === 0 && place === 4) ? 2 + i / 10 : Number.NaN;
});
const distance = sizes.reduce(
  (sum, y, i) => (Number.isNaN(y) ? sum : sum + weights[Math.floor(i / PLACES)]! * Math.abs(logits[i]! - y)),
  0,
);

describeRowLoss('distance of sizes at centres', {
  inputs: { maps: float32(logits, dims), target: float32(sizes, dims), rowWeights },
  student: ['maps'],
  smooth: false,
  build: (g, v) => centreSizesLoss(g, { maps: v.maps!, target: v.target!, rowWeights: v.rowWeights! }),
  expected: distance / 3,
});
