import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { randomStream } from '../../random.ts';
import type { TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { elementCount, float32, toNumbers } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { fuseTransposes } from './fuse-transposes.ts';

const random = randomStream(1, 'fuse-transposes');
const draw = (dims: readonly number[]) =>
  float32(
    Array.from({ length: elementCount(dims) }, () => random.normal()),
    dims,
  );

const IMAGES = [3, 5, 4, 6];
const ROWS_FIRST = [2, 0, 1, 3];

type Build = (g: GraphBuilder, images: TypedValue) => TypedValue;
const rowsFirst: Build = (g, images) => g.reshape(g.transpose(images, ROWS_FIRST), [4, 15, 6]);

function model(build: Build) {
  const g = new GraphBuilder();
  g.output(build(g, g.input('images', 'float32', IMAGES)), 'result');
  return g.build();
}

const countOf = (graph: ReturnType<typeof model>, type: string) =>
  graph.nodes.filter(({ opType }) => opType === type).length;

const FUSED: [string, Build][] = [
  [
    'a matrix times images',
    (g, images) => g.fusedMatMul(g.initializer('m', draw([7, 6])), rowsFirst(g, images), { transB: true }),
  ],
  ['images times a matrix', (g, images) => g.matMul(rowsFirst(g, images), g.initializer('m', draw([6, 2])))],
  [
    'images, transposed, times a matrix for each row',
    (g, images) =>
      g.fusedMatMul(rowsFirst(g, images), g.initializer('m', draw([4, 15, 2])), { transA: true }),
  ],
  [
    'two products of one transpose, behind two reshapes',
    (g, images) => {
      const rows = g.transpose(images, ROWS_FIRST);
      const [a, b] = [g.reshape(g.reshape(rows, [20, 18]), [4, 15, 6]), g.reshape(rows, [4, 15, 6])];
      const matrix = g.initializer('m', draw([6, 6]));
      return g.add(g.matMul(a, matrix), g.fusedMatMul(b, matrix, { transB: true }));
    },
  ],
  [
    'both sides',
    (g, images) => g.fusedMatMul(rowsFirst(g, images), rowsFirst(g, g.neg(images)), { transB: true }),
  ],
];

it.each(FUSED)('%s: the same result, and no transpose', async (_, build) => {
  const graph = model(build);
  const fused = fuseTransposes(graph);
  expect(countOf(graph, 'Transpose')).toBeGreaterThan(0);
  // What nothing reads is for removeDeadNodes.
  const products = fused.nodes.filter(({ opType }) => opType === 'FusedMatMul');
  expect(
    products.every(({ attributes }) => attributes.has('transBatchA') || attributes.has('transBatchB')),
  ).toBe(true);
  expect(products.length).toBe(countOf(graph, 'MatMul') + countOf(graph, 'FusedMatMul'));
  const images = draw(IMAGES);
  const [wanted, found] = await Promise.all(
    [graph, fused].map(async (one) => {
      const result = (await (await createNodeEngine().load(writeModel(one))).run({ images })).result!;
      return { dims: result.dims, numbers: toNumbers(result) };
    }),
  );
  expect(found!.dims).toEqual(wanted!.dims);
  found!.numbers.forEach((number, i) => {
    expect(number).toBeCloseTo(wanted!.numbers[i]!, 4);
  });
});

const LEFT: [string, Build][] = [
  [
    'another axis first',
    (g, images) => g.matMul(g.transpose(images, [1, 0, 2, 3]), g.initializer('m', draw([6, 2]))),
  ],
  [
    'something else reads it too',
    (g, images) => {
      const rows = rowsFirst(g, images);
      return g.add(g.matMul(rows, g.initializer('m', draw([6, 6]))), rows);
    },
  ],
  [
    'the product sees other axes',
    (g, images) =>
      g.matMul(g.reshape(g.transpose(images, ROWS_FIRST), [20, 3, 6]), g.initializer('m', draw([6, 2]))),
  ],
  ['it is a result', (g, images) => rowsFirst(g, images)],
];

it.each(LEFT)('leaves a transpose where %s', (_, build) => {
  const graph = model(build);
  expect(fuseTransposes(graph)).toBe(graph);
});
