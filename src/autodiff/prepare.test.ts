import { describe, expect, it } from 'vitest';
import { float32, int64 } from '../onnx/tensor.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../onnx/testing/small-graph.ts';
import { prepareForGradients } from './prepare.ts';

describe('prepareForGradients', () => {
  it('folds constants, but nothing that a float initializer goes into', () => {
    const [x, y] = [valueNamed('x'), valueNamed('y')];
    const [axis, w] = [valueNamed('axis', 'int64', [1]), valueNamed('w', 'float32', [3])];
    const [two, row, both] = [valueNamed('two', 'float32', []), valueNamed('row'), valueNamed('both')];
    const nodes = [
      nodeOf('Add', [row, x], [both]),
      nodeOf('Unsqueeze', [w, axis], [row]),
      nodeOf('Constant', [], [two], { value: float32([2], []) }),
      nodeOf('Mul', [both, two], [y]),
    ];
    const prepared = prepareForGradients(
      graphOf(
        [x],
        nodes,
        [y],
        [
          [axis, int64([0])],
          [w, float32([1, 2, 3])],
        ],
      ),
    );
    expect(operatorsOf(prepared)).toEqual(['Unsqueeze', 'Add', 'Mul']);
    expect([...prepared.initializers.keys()].map((value) => value.name)).toEqual(['axis', 'w', 'two']);
  });
});
