import { describe, expect, it } from 'vitest';
import { loadGraph } from '../autodiff/testing/run-graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, tensor } from '../onnx/tensor.ts';
import type { Head } from '../targets/head.ts';
import { sortedProbabilities, spanLikelihoods } from '../targets/placed-forms.ts';
import { ckaLoss } from './cka.ts';
import { allObjectives } from './index.ts';
import { type ObjectiveInputs, ofWholeBatch, overCount, type SummedLoss, summed } from './objective.ts';
import { similarityLoss } from './similarity.ts';
import { numbers } from './testing/describe-row-loss.ts';

const ROWS = 8;
/** Two rows do not count, and the parts have different numbers of those that do. */
const WEIGHTS = [1, 1, 0, 1, 1, 1, 0, 1];
const OUTPUTS: Record<string, number[]> = {
  y: [ROWS, 4],
  z: [ROWS, 4],
  tokens: [ROWS, 3, 4],
  maps: [ROWS, 5, 2, 2],
};

/** Losses about a part of the teacher's answers that the recipe says to keep. */
const KEPT = { uld: sortedProbabilities(3), alignedLikelihoods: spanLikelihoods() } as const;

/** Three probabilities for each token, or spans of one token with their log-likelihoods. */
function keptOf(own: number[], width: number): number[] {
  return own.map((x, i) => {
    if (width === 3) return Math.abs(x) / 3;
    return i % 2 === 0 ? 1 : -Math.abs(x);
  });
}

/** The sum and count of a loss on rows `from` to `to` of one batch. */
async function partOf(
  [from, to]: readonly [number, number],
  build: (g: GraphBuilder, inputs: ObjectiveInputs) => SummedLoss,
): Promise<{ sum: number; count: number }> {
  const g = new GraphBuilder();
  const rows = (data: number[], dims: readonly number[]) => {
    const width = data.length / ROWS;
    return g.constant(float32(data.slice(from * width, to * width), [to - from, ...dims.slice(1)]));
  };
  const inputs = {
    student: (name: string) =>
      rows(numbers(elements(OUTPUTS[name] as number[]), name.length), OUTPUTS[name] as number[]),
    has: () => false,
    rowWeights: () => rows(WEIGHTS, [ROWS]),
    knowledge: (_: string, dims: number[]) => rows(numbers(elements([ROWS, ...dims]), 7), [ROWS, ...dims]),
    parameter: (_: string, dims: number[]) => g.constant(float32(numbers(elements(dims), 3), dims)),
    input(name: string, type: string, dims: number[]) {
      const whole = [ROWS, ...dims.slice(1)];
      if (name.startsWith('row_weights')) return rows(WEIGHTS, [ROWS]);
      if (type === 'float32') {
        const own = numbers(elements(whole), name.length);
        if (name.startsWith('knowledge/')) return rows(keptOf(own, whole.at(-1) as number), whole);
        return rows(name.startsWith('labels') ? own.map((x) => (x > 0 ? 1 : 0)) : own, whole);
      }
      const width = elements(whole) / ROWS;
      const labels = Int32Array.from({ length: (to - from) * width }, (_, i) => ((from * width + i) * 5) % 4);
      return g.constant(tensor('int32', dims, labels));
    },
  } as unknown as ObjectiveInputs;
  const { sum, count } = build(g, inputs);
  g.output(g.identity(sum), 'sum');
  g.output(g.identity(count), 'count');
  const found = await (await loadGraph(g.build()))({});
  return { sum: Number(found.sum?.data[0]), count: Number(found.count?.data[0]) };
}

const elements = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1);
const PARTS = [
  [0, 3],
  [3, 8],
] as const;

async function wholeAndParts(build: Parameters<typeof partOf>[1]): Promise<[number, number]> {
  const whole = await partOf([0, ROWS], build);
  const parts = await Promise.all(PARTS.map((part) => partOf(part, build)));
  const count = parts.reduce((all, part) => all + part.count, 0);
  expect(count).toBeCloseTo(whole.count, 4);
  return [
    whole.sum / Math.max(1, whole.count),
    parts.reduce((all, { sum }) => all + sum, 0) / Math.max(1, count),
  ];
}

const ofAnswers = allObjectives().filter(
  ({ kind, level = 'task', knowledge, adversarial }) =>
    level === 'task' && !adversarial && kind !== 'output' && (knowledge === undefined || kind === 'rkd'),
);

describe('losses over parts of a batch', () => {
  it.each(ofAnswers.map((kind) => [kind.kind, kind] as const))('%s', async (name, kind) => {
    const kept = KEPT[name as keyof typeof KEPT];
    const output = kept || /token/i.test(name) ? 'tokens' : name.startsWith('centre') ? 'maps' : 'y';
    const about = 'outputs' in kind.options.shape ? { outputs: ['y', 'z'] } : { output };
    const heads = kept ? [{ output, kept } as unknown as Head] : [];
    const term = kind.term(kind.options.parse({ weight: 1, ...about }), { classes: 4, heads });
    const [whole, parts] = await wholeAndParts((g, inputs) => {
      const loss = term.build(g, inputs);
      if ('values' in loss) return summed(g, loss);
      if (!('sum' in loss)) throw new Error(`${name} tells no count`);
      return loss;
    });
    expect(Number.isFinite(whole)).toBe(true);
    // Rows that are compared with each other do not see those of the other part.
    if (kind.relatesRows) expect(Math.abs(parts - whole)).toBeGreaterThan(1e-6);
    else expect(parts).toBeCloseTo(whole, 5);
  });

  it.each([
    ['similarity', similarityLoss],
    ['cka', ckaLoss],
  ] as const)('%s is the mean of what the parts lose among themselves, by their rows', async (_, lossOf) => {
    const build = (g: GraphBuilder, inputs: ObjectiveInputs) => {
      const rowWeights = inputs.rowWeights();
      const loss = lossOf(g, { student: inputs.student('y'), teacher: inputs.student('z'), rowWeights });
      return ofWholeBatch(g, loss, rowWeights);
    };
    const of = async (part: readonly [number, number]) =>
      partOf(part, (g, inputs) => {
        const summedLoss = build(g, inputs);
        return { sum: overCount(g, summedLoss), count: summedLoss.count };
      });
    const [, parts] = await wholeAndParts(build);
    const [first, second] = await Promise.all(PARTS.map(of));
    const expected = ((first?.sum ?? 0) * 2 + (second?.sum ?? 0) * 4) / 6;
    expect(parts).toBeCloseTo(expected, 5);
  });
});
