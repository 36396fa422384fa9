import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** Added to squared lengths before their root, so that a vector of zeros has a slope. */
const EPSILON = 1e-12;

/** Vectors [B, D], each divided by its length. */
export function unitRows(g: GraphBuilder, vectors: TypedValue): TypedValue {
  return g.div(vectors, g.sqrt(g.add(g.reduceSumSquare(vectors, { axes: [1] }), EPSILON)));
}
