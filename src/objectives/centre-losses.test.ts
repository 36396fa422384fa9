import { float32 } from '../onnx/tensor.ts';
import { centreFocalLoss } from './centre-focal.ts';
import { centreFocalKdLoss } from './centre-focal-kd.ts';
import { centreSizesLoss } from './centre-sizes.ts';
import { centreSizesKdLoss } from './centre-sizes-kd.ts';
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

const taught = numbers(36, 9);
const [q, p] = [taught, logits].map((list) => list.map(sigmoid)) as [number[], number[]];
let [towards, expected] = [0, 0];
q.forEach((y, i) => {
  const weight = weights[Math.floor(i / PLACES)]!;
  const own = p[i]!;
  towards -= weight * (own - y) ** 2 * (y * Math.log(own) + (1 - y) * Math.log(1 - own));
  expected += weight * y;
});

describeRowLoss("focal loss towards a teacher's heat maps", {
  inputs: { student: float32(logits, dims), teacher: float32(taught, dims), rowWeights },
  student: ['student'],
  build: (g, v) =>
    centreFocalKdLoss(g, { student: v.student!, teacher: v.teacher!, rowWeights: v.rowWeights! }, 2),
  expected: towards / expected,
});

const heatLogits = numbers(54, 7);
let [far, sure] = [0, 0];
for (let row = 0; row < 3; row++) {
  for (let place = 0; place < 6; place++) {
    const most = Math.max(...[0, 1, 2].map((k) => sigmoid(heatLogits[(row * 3 + k) * 6 + place]!)));
    sure += weights[row]! * most;
    for (let channel = 0; channel < 2; channel++) {
      const at = (row * 2 + channel) * 6 + place;
      far += weights[row]! * most * Math.abs(logits[at]! - taught[at]!);
    }
  }
}

describeRowLoss("distance to a teacher's sizes", {
  inputs: {
    student: float32(logits, dims),
    teacher: float32(taught, dims),
    heat: float32(heatLogits, [3, 3, 2, 3]),
    rowWeights,
  },
  student: ['student'],
  smooth: false,
  build: (g, v) =>
    centreSizesKdLoss(g, {
      student: v.student!,
      teacher: v.teacher!,
      heat: v.heat!,
      rowWeights: v.rowWeights!,
    }),
  expected: far / sure,
});
