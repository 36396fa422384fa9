import { describe, expect, it } from 'vitest';
import { float32 } from '../onnx/tensor.ts';
import { affinityDivergence } from './affinity.ts';
import { infoNce, infoNceLoss } from './info-nce.ts';
import { marginContrastiveLoss } from './margin-contrastive.ts';
import type { ObjectiveInputs } from './objective.ts';
import { describeRowLoss, numbers } from './testing/describe-row-loss.ts';
import { lossAndGradient } from './testing/loss-case.ts';
import { unitRows } from './unit-rows.ts';

const [ROWS, WIDTH] = [5, 3];
const weights = [1, 1, 0, 0.5, 1];
const rowWeights = float32(weights);
const [text, image] = [numbers(15, 1), numbers(15, 6)];
const [teacherText, teacherImage] = [numbers(15, 3), numbers(15, 8)];
const matrix = (values: readonly number[]) => float32([...values], [ROWS, WIDTH]);
const counted = [0, 1, 3, 4];

function cosine(a: readonly number[], i: number, b: readonly number[], j: number): number {
  const [x, y] = [a.slice(i * WIDTH, (i + 1) * WIDTH), b.slice(j * WIDTH, (j + 1) * WIDTH)];
  const dot = (u: number[], v: number[]) => u.reduce((sum, value, k) => sum + value * v[k]!, 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/** The weighted mean over rows of the mean of both directions. */
function bothWays(
  loss: (
    score: (i: number, j: number) => number,
    i: number,
    teacher: (i: number, j: number) => number,
  ) => number,
): number {
  const ways = [
    {
      own: (i: number, j: number) => cosine(text, i, image, j),
      given: (i: number, j: number) => cosine(teacherText, i, teacherImage, j),
    },
    {
      own: (i: number, j: number) => cosine(image, i, text, j),
      given: (i: number, j: number) => cosine(teacherImage, i, teacherText, j),
    },
  ];
  const sum = counted.reduce(
    (total, i) =>
      total + weights[i]! * ways.reduce((both, { own, given }) => both + loss(own, i, given) / 2, 0),
    0,
  );
  return sum / weights.reduce((total, weight) => total + weight, 0);
}

const logSoftmax = (scores: readonly number[]) => {
  const sum = scores.reduce((total, x) => total + Math.exp(x), 0);
  return scores.map((x) => x - Math.log(sum));
};

const inputs = { text: matrix(text), image: matrix(image), rowWeights };
const teachers = { ...inputs, teacherText: matrix(teacherText), teacherImage: matrix(teacherImage) };

describeRowLoss('InfoNCE', {
  inputs,
  student: ['text', 'image'],
  build: (g, v) =>
    infoNceLoss(
      g,
      { first: unitRows(g, v.text!), second: unitRows(g, v.image!), rowWeights: v.rowWeights! },
      4,
    ),
  expected: bothWays((score, i) => -logSoftmax(counted.map((j) => 4 * score(i, j)))[counted.indexOf(i)]!),
});

for (const negatives of ['all', 'hardest'] as const) {
  describeRowLoss(`contrastive with a margin, ${negatives} negatives`, {
    inputs,
    student: ['text', 'image'],
    smooth: false,
    build: (g, v) =>
      marginContrastiveLoss(
        g,
        { first: unitRows(g, v.text!), second: unitRows(g, v.image!), rowWeights: v.rowWeights! },
        { margin: 0.3, negatives },
      ),
    expected: bothWays((score, i) => {
      const others = counted.filter((j) => j !== i);
      const hinges = others.map((j) => Math.max(0, 0.3 - score(i, i) + score(i, j)));
      if (negatives === 'hardest') return Math.max(...hinges);
      return hinges.reduce((sum, hinge) => sum + hinge, 0) / others.length;
    }),
  });
}

describeRowLoss('affinity mimicking', {
  inputs: teachers,
  student: ['text', 'image'],
  build: (g, v) =>
    affinityDivergence(g, {
      student: { first: unitRows(g, v.text!), second: unitRows(g, v.image!), rowWeights: v.rowWeights! },
      teacher: { first: unitRows(g, v.teacherText!), second: unitRows(g, v.teacherImage!) },
      temperature: 0.5,
      teacherTemperature: 0.25,
    }),
  expected: bothWays((score, i, teacher) => {
    const own = logSoftmax(counted.map((j) => score(i, j) / 0.5));
    const given = logSoftmax(counted.map((j) => teacher(i, j) / 0.25));
    return given.reduce((sum, log, j) => sum + Math.exp(log) * (log - own[j]!), 0);
  }),
});

describe('a term about two outputs', () => {
  const context = { classes: 0, weighted: new Set(['image']) };
  const term = infoNce.term(
    infoNce.options.parse({ outputs: ['text', 'image'], temperature: 0.25 }),
    context,
  );
  const lossOf = (weights: Record<string, number[]>) =>
    lossAndGradient({ text: matrix(text), image: matrix(image), ...mapOf(weights) }, 'text', (g, v) =>
      term.build(g, {
        student: (name) => v[name]!,
        input: (name) => v[name]!,
      } as Partial<ObjectiveInputs> as ObjectiveInputs),
    );
  const mapOf = (weights: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(weights).map(([name, values]) => [name, float32(values)]));

  it('counts the rows that have both, by the weights of the row and of what it may lack', async () => {
    // The fourth row has no image, the fifth only fills the batch.
    const { value, gradient } = await lossOf({
      row_weights: [1, 1, 1, 1, 0],
      'row_weights/image': [1, 1, 1, 0, 0],
    });
    const three = float32(text.slice(0, 9), [3, WIDTH]);
    const alone = await lossAndGradient(
      { text: three, image: float32(image.slice(0, 9), [3, WIDTH]), rowWeights: float32([1, 1, 1]) },
      'text',
      (g, v) =>
        infoNceLoss(
          g,
          { first: unitRows(g, v.text!), second: unitRows(g, v.image!), rowWeights: v.rowWeights! },
          4,
        ),
    );
    expect(value).toBeCloseTo(alone.value, 5);
    alone.gradient.forEach((slope, i) => {
      expect(gradient[i]).toBeCloseTo(slope, 5);
    });
    expect(gradient.slice(9).every((slope) => Math.abs(slope) === 0)).toBe(true);
    expect(term.name).toBe('infoNce/text+image');
  });
});

describe('affinity mimicking', () => {
  it('is 0 where both sides find the same rows alike', async () => {
    const { value } = await lossAndGradient(inputs, 'text', (g, v) => {
      const own = { first: unitRows(g, v.text!), second: unitRows(g, v.image!) };
      return affinityDivergence(g, {
        student: { ...own, rowWeights: v.rowWeights! },
        teacher: own,
        temperature: 0.1,
        teacherTemperature: 0.1,
      });
    });
    expect(value).toBeCloseTo(0, 5);
  });
});
