import { expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { randomStream } from '../../random.ts';
import { factorized } from './factorize.ts';
import { singularValues } from './singular-values.ts';

const normals = (count: number, ...labels: string[]) => {
  const random = randomStream(1, ...labels);
  return Float32Array.from({ length: count }, () => random.normal());
};

test.each([
  [7, 4],
  [4, 7],
  [5, 5],
])('singular values give back a matrix of %i x %i', (rows, columns) => {
  const matrix = normals(rows * columns, 'matrix');
  const rank = Math.min(rows, columns);
  const { left, values, right } = singularValues(matrix, rows, columns);
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[r * rank + k] * values[k] * right[k * columns + c];
      expect(sum).toBeCloseTo(matrix[r * columns + c], 5);
    }
  }
});

/** A product, a Gemm and a 1x1 convolution whose weights have rank 2. */
function lowRankGraph() {
  const g = new GraphBuilder();
  const ofRankTwo = (name: string, rows: number, columns: number, dims: readonly number[]) => {
    const [a, b] = [normals(rows * 2, name, 'a'), normals(2 * columns, name, 'b')];
    const data = Float32Array.from(
      { length: rows * columns },
      (_, i) =>
        a[2 * Math.floor(i / columns)] * b[i % columns] +
        a[2 * Math.floor(i / columns) + 1] * b[columns + (i % columns)],
    );
    return g.initializer(name, float32(data, dims));
  };
  const x = g.input('x', 'float32', ['batch', 8, 3, 3]);
  const map = g.op('Conv', [x, ofRankTwo('convolution', 12, 8, [12, 8, 1, 1])], { strides: [2, 2] });
  const rows = g.reduceMean(map, { axes: [2, 3], keepDims: false });
  const hidden = g.matMul(rows, ofRankTwo('product', 12, 10, [12, 10]));
  const bias = g.initializer('bias', float32(normals(9, 'bias'), [9]));
  g.output(g.gemm(hidden, ofRankTwo('gemm', 9, 10, [9, 10]), bias, { transB: true }), 'y');
  return { graph: g.build(), parameters: ['convolution', 'product', 'gemm', 'bias'] };
}

test('a network of low rank is the same network in two factors, and smaller', async () => {
  const student = lowRankGraph();
  const { student: factored, layers, all } = factorized(student, 0.999_999, { where: 'compress[0]' });
  expect(all).toBe(3);
  expect(layers.map(({ rank }) => rank)).toEqual([2, 2, 2]);
  const x = { x: float32(normals(2 * 72, 'x'), [2, 8, 3, 3]) };
  const [before, after] = [await runGraph(student.graph, x), await runGraph(factored.graph, x)];
  const [wanted, got] = [before.y.data as Float32Array, after.y.data as Float32Array];
  wanted.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, 3);
  });
  expect(factored.parameters).toContain('gemm/second');
});

test('factors become two once more, under names of their own', async () => {
  const wide = (name: string) => float32(normals(32 * 32, name), [32, 32]);
  const g = new GraphBuilder();
  g.output(g.matMul(g.input('x', 'float32', ['batch', 32]), g.initializer('weight', wide('weight'))), 'y');
  const at = { where: 'compress[0]' };
  const { student: once } = factorized({ graph: g.build(), parameters: ['weight'] }, 0.6, at);
  const { student: twice, layers } = factorized(once, 0.2, at);
  expect(layers.map(({ name }) => name)).toEqual(['weight/first', 'weight/second']);
  const { y } = await runGraph(twice.graph, { x: float32(normals(32, 'x'), [1, 32]) });
  expect(y?.dims).toEqual([1, 32]);
});

test('a network that becomes nowhere smaller is refused with what to change', () => {
  const g = new GraphBuilder();
  const weight = g.initializer('weight', float32(normals(16, 'full'), [4, 4]));
  g.output(g.matMul(g.input('x', 'float32', ['batch', 4]), weight), 'y');
  expect(() =>
    factorized({ graph: g.build(), parameters: ['weight'] }, 0.99, { where: 'compress[0]' }),
  ).toThrow(/none of the 1 matrices is smaller/);
});
