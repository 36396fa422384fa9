import type { TestInput } from '../check-gradients.ts';
import { type Build, type GradientCase, of, squared, x } from './case.ts';

export const MOVEMENT_CASES: GradientCase[] = (
  [
    ['Transpose', 'default', [x(2, 3, 4)], of('Transpose')],
    ['Transpose', '', [x(2, 3, 4)], (g, [a]) => g.transpose(a, [1, 2, 0])],
    ['Reshape', '', [x(2, 3, 4)], (g, [a]) => g.reshape(a, [0, -1])],
    ['Flatten', '', [x(2, 3, 4)], of('Flatten', { axis: 2 })],
    ['Squeeze', '', [x(2, 1, 3)], (g, [a]) => g.squeeze(a, [-2])],
    ['Unsqueeze', '', [x(2, 3)], (g, [a]) => g.unsqueeze(a, [0, -1])],
    ['Concat', '', [x(2, 3), x(2, 1), x(2, 2)], (g, all) => g.concat(all, -1)],
    [
      'Concat',
      'one trained',
      [x(2, 3)],
      (g, [a]) => g.concat([g.fill([2, 2], 1, a.type as 'float32'), a], 1),
    ],
    [
      'Split',
      'one output used',
      [x(2, 5)],
      (g, [a]) => g.node('Split', [a, g.ints([2, 3])], { axis: 1 }, { outputs: 2 })[1],
    ],
    [
      'Split',
      'all used',
      [x(2, 5)],
      (g, [a]) => {
        const [p, q] = g.node('Split', [a, g.ints([2, 3])], { axis: -1 }, { outputs: 2 });
        return g.matMul(p, g.slice(g.transpose(q, [1, 0]), 0, 0, 2));
      },
    ],
    ['Slice', '', [x(4, 6)], (g, [a]) => g.slice(a, -1, 1, -2)],
    ['Slice', 'step 2', [x(4, 6)], (g, [a]) => g.slice(a, 1, 1, 100, 2)],
    ['Slice', 'step -1', [x(4, 6)], (g, [a]) => g.slice(a, 0, -1, -100, -1)],
    ['Slice', 'step -3', [x(2, 8)], (g, [a]) => g.slice(a, 1, 6, 0, -3)],
    [
      'Slice',
      'two axes',
      [x(4, 6, 2)],
      (g, [a]) => g.op('Slice', [a, g.ints([3, 1]), g.ints([-100, 6]), g.ints([0, 1]), g.ints([-2, 2])]),
    ],
    ['Pad', '', [x(2, 3)], (g, [a]) => g.pad(a, 1, 2, 1)],
    ['Pad', 'negative', [x(2, 5)], (g, [a]) => g.pad(a, 1, -2, 1)],
    ['Pad', 'trained constant', [x(2, 3), x()], (g, [a, c]) => g.op('Pad', [a, g.ints([1, 0, 0, 2]), c])],
    ['Expand', '', [x(2, 1, 3)], (g, [a]) => g.expand(a, [5, 1, 4, 3])],
    ['Tile', '', [x(2, 3, 1)], (g, [a]) => g.op('Tile', [a, g.ints([2, 1, 3])])],
    ['Tile', 'once', [x(2, 3)], (g, [a]) => g.op('Tile', [a, g.ints([1, 1])])],
    ['Trilu', 'lower', [x(3, 3)], of('Trilu', { upper: 0 })],
    ['CumSum', '', [x(2, 3)], (g, [a]) => g.op('CumSum', [a, g.scalar(1, 'int64')])],
    [
      'CumSum',
      'exclusive, reverse',
      [x(2, 3)],
      (g, [a]) => g.op('CumSum', [a, g.scalar(0, 'int64')], { exclusive: 1, reverse: 1 }),
    ],
  ] as [string, string, TestInput[], Build][]
).map(([operator, form, inputs, build]) => [operator, form, { inputs, build: squared(build) }]);
