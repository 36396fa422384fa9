import type { GraphBuilder } from '../../../onnx/graph-builder.ts';
import type { TestInput } from '../check-gradients.ts';
import { apart, type Build, type GradientCase, squared, x } from './case.ts';

/** A constant of whole numbers of any shape. */
const ids = (g: GraphBuilder, values: number[], shape: number[]) => g.reshape(g.ints(values), shape);

export const INDEXING_CASES: GradientCase[] = (
  [
    [
      'Gather',
      'rows, repeated, below zero',
      [x(5, 3)],
      (g, [a]) => g.gather(a, ids(g, [1, -1, 1, 0], [2, 2])),
    ],
    ['Gather', 'columns', [x(2, 5, 3)], (g, [a]) => g.gather(a, ids(g, [4, 0, 4], [3]), 1)],
    ['Gather', 'one position', [x(2, 5, 3)], (g, [a]) => g.gather(a, g.scalar(-2, 'int64'), 1)],
    ['Gather', 'one position, kept', [x(2, 5, 3)], (g, [a]) => g.gather(a, g.ints([1]), -2)],
    [
      'GatherElements',
      '',
      [x(2, 4)],
      (g, [a]) => g.gatherElements(a, ids(g, [0, 3, 3, -1, 2, 2], [2, 3]), -1),
    ],
    [
      'GatherElements',
      'of a LogSoftmax: a cross-entropy',
      [x(3, 4)],
      (g, [a]) => g.gatherElements(g.logSoftmax(a), ids(g, [0, 3, -1], [3, 1]), 1),
    ],
    [
      'GatherElements',
      'of a LogSoftmax, several of a row',
      [x(2, 4)],
      (g, [a]) => g.gatherElements(g.logSoftmax(a), ids(g, [0, 3, 3, 1, 2, 2], [2, 3]), -1),
    ],
    [
      'GatherElements',
      'of a LogSoftmax, not of every row',
      [x(3, 4)],
      (g, [a]) => g.gatherElements(g.logSoftmax(a), ids(g, [0, 3], [2, 1]), 1),
    ],
    [
      'GatherND',
      'rows',
      [x(3, 4, 2)],
      (g, [a]) => g.op('GatherND', [a, ids(g, [1, 2, 1, 2, 0, -1], [3, 2])]),
    ],
    [
      'GatherND',
      'batch_dims',
      [x(2, 4, 3)],
      (g, [a]) => g.op('GatherND', [a, ids(g, [3, 1, 0, 3, 3, -4], [2, 3, 1])], { batch_dims: 1 }),
    ],
    ['ScatterND', 'none', [x(4, 2), x(2, 2)], (g, [a, u]) => g.scatterNd(a, ids(g, [3, 1], [2, 1]), u)],
    [
      'ScatterND',
      'add, repeated',
      [x(4, 2), x(3, 2)],
      (g, [a, u]) => g.scatterNd(a, ids(g, [3, 1, 3], [3, 1]), u, 'add'),
    ],
    [
      'ScatterElements',
      'none',
      [x(3, 4), x(3, 2)],
      (g, [a, u]) => g.scatterElements(a, ids(g, [0, 3, 2, 1, 1, 0], [3, 2]), u, { axis: 1 }),
    ],
    [
      'ScatterElements',
      'add, repeated',
      [x(3, 4), x(3, 2)],
      (g, [a, u]) =>
        g.scatterElements(a, ids(g, [0, 0, 2, 2, 1, 0], [3, 2]), u, { axis: 1, reduction: 'add' }),
    ],
    [
      'TopK',
      'values',
      [apart(0.2, 2, 5)],
      (g, [a]) => g.node('TopK', [a, g.ints([2])], { axis: -1 }, { outputs: 2 })[0],
    ],
  ] as [string, string, TestInput[], Build][]
).map(([operator, form, inputs, build]) => [operator, form, { inputs, build: squared(build) }]);
