import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** The sum of the rows of a matrix [n, m], as [m]: the gradient of a bias. */
export function columnSums(g: GraphBuilder, matrix: TypedValue): TypedValue {
  return g.reduceSum(matrix, { axes: [0], keepDims: false });
}
