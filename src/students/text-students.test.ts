import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { collectRanges } from '../compress/calibrate.ts';
import { quantizeStatic, valuesToCalibrate } from '../compress/quantize-static.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from './backbone.ts';
import { buildClassifier } from './build-student.ts';
import { BACKBONES } from './index.ts';
import type { Student } from './student.ts';

const TEXT_STUDENTS = BACKBONES.filter(({ accepts }) => (accepts as readonly string[]).includes('text'));

/** Students that are a bag of tokens. */
const BAGS: readonly string[] = ['static-embedding'];

const CLASSES = 5;
const TEXTS = [[3, 4, 5], [1, 2, 3, 4, 5, 6, 8], [9], [3, 4]];
const engine = createNodeEngine();

function build(kind: string, overrides: Record<string, unknown> = {}): Student {
  const architecture = TEXT_STUDENTS.find((one) => one.kind === kind) as unknown as Backbone;
  const options = architecture.options.parse({ width: 16, heads: 4, feedForward: 32, ...overrides });
  return buildClassifier(architecture, options, {
    vocabularySize: 50,
    classes: CLASSES,
    maxLength: 12,
    random: randomStream(1, kind),
    trainingTexts: TEXTS,
  });
}

/** The padding before row `index`, of `padding` in all. */
type Side = (padding: number, index: number) => number;
const RIGHT: Side = () => 0;

function padded(rows: number[][], length: number, side: Side): Record<string, Tensor> {
  const pad = (values: (row: number[]) => number[], by: number) =>
    rows.flatMap((row, i) => {
      const before = side(length - row.length, i);
      const fill = (count: number) => new Array(count).fill(by);
      return [...fill(before), ...values(row), ...fill(length - row.length - before)];
    });
  return {
    input_ids: int64(
      pad((row) => row, 7),
      [rows.length, length],
    ),
    attention_mask: int64(
      pad((row) => row.map(() => 1), 0),
      [rows.length, length],
    ),
  };
}

/** Logits for rows of ids, padded to `length`. */
async function logits(
  { graph }: Pick<Student, 'graph'>,
  rows: number[][],
  length: number,
  side: Side = RIGHT,
): Promise<number[][]> {
  const session = await engine.load(writeModel(graph));
  const feeds = padded(rows, length, side);
  const { logits: result } = await session.run(feeds);
  await session.release();
  expect(result.dims).toEqual([rows.length, CLASSES]);
  return rows.map((_, i) => Array.from(result.data as Float32Array).slice(i * CLASSES, (i + 1) * CLASSES));
}

async function inInt8(graph: Graph): Promise<Graph> {
  const texts = [
    [1, 2, 3, 4, 5],
    [6, 7, 8, 9, 10],
    [20, 30, 40, 11, 12],
  ];
  const ranges = await collectRanges(graph, valuesToCalibrate(graph), engine, [padded(texts, 5, RIGHT)], {
    mask: 'attention_mask',
  });
  return quantizeStatic(graph, ranges);
}

describe.each(TEXT_STUDENTS.map(({ kind }) => [kind]))('%s', (kind) => {
  it('answers a text alike alone, in a batch, and with more padding', async () => {
    const student = build(kind);
    const [alone] = await logits(student, [[3, 4, 5]], 3);
    const batch = await logits(student, [[3, 4, 5], [1, 2, 3, 4, 5, 6, 8], [9]], 9);
    alone.forEach((value, i) => {
      expect(batch[0][i]).toBeCloseTo(value, 5);
    });
  });

  it.each<[string, Side]>([
    ['on the right', RIGHT],
    ['on the left', (padding) => padding],
    ['on both sides', (padding) => Math.floor(padding / 2)],
    ['on another side in each row', (padding, i) => (i % 2 ? padding : 0)],
  ])('answers alike whether alone or in a batch padded %s, in float32 and in int8', async (_where, side) => {
    const { graph } = build(kind);
    const rows = [[3, 4, 5], [1, 2, 3, 4, 5, 6, 8], [9], [11, 12, 13, 14, 9, 3, 2, 1, 30]];
    for (const model of [graph, await inInt8(graph)]) {
      const batch = await logits({ graph: model }, rows, 12, side);
      for (const [i, row] of rows.entries()) {
        const [alone] = await logits({ graph: model }, [row], row.length);
        alone.forEach((value, c) => {
          expect(batch[i][c]).toBeCloseTo(value, 5);
        });
      }
    }
  });

  it('answers an empty text with numbers', async () => {
    const [empty] = await logits(build(kind), [[]], 0);
    expect(empty.every(Number.isFinite)).toBe(true);
  });

  it(`${BAGS.includes(kind) ? 'ignores' : 'minds'} the order of the tokens`, async () => {
    const student = build(kind);
    const [one, other] = await logits(
      student,
      [
        [3, 4, 5, 6],
        [6, 5, 4, 3],
      ],
      4,
    );
    const difference = Math.abs(one[0] - other[0]);
    if (BAGS.includes(kind)) expect(difference).toBeLessThan(1e-6);
    else expect(difference).toBeGreaterThan(1e-6);
  });

  it('starts from the same parameters for the same seed', () => {
    const bytes = () => Buffer.from(writeModel(build(kind).graph)).toString('base64');
    expect(bytes()).toBe(bytes());
  });

  it('has a gradient for every parameter', () => {
    const student = build(kind);
    const g = new GraphBuilder();
    const sizes: Record<string, number> = { batch: 2, sequence: 6 };
    const bound = new Map<string, TypedValue>(
      student.graph.inputs.map(({ name, type, shape }) => [
        name,
        g.input(
          name,
          type!,
          shape!.map((dim) => (typeof dim === 'string' ? sizes[dim] : dim)),
        ),
      ]),
    );
    const values = g.inline(student.graph, bound);
    const loss = g.reduceSum(values.get('logits') as TypedValue, { keepDims: false });
    const found = gradients(
      g,
      loss,
      student.parameters.map((name) => values.get(name) as TypedValue),
    );
    expect(student.parameters.filter((_, i) => found[i] === null)).toEqual([]);
  });
});

describe('options', () => {
  it('builds wider kernels, and none', async () => {
    for (const kernel of [1, 2, 5]) await logits(build('text-conv', { kernel }), [[1, 2, 3]], 3);
  });

  it('refuses heads that do not divide the width', () => {
    expect(() => build('text-attention', { heads: 3 })).toThrow(
      expect.objectContaining({ code: 'recipe.invalid' }),
    );
  });
});
