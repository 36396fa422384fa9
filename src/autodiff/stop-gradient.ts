import type { Node, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

const SCOPE = 'stop_gradient';

/**
 * The same value, through which no gradient flows.
 *
 * In the graph it is an Identity whose name ends in `stop_gradient/Identity_<n>`: names survive writing, reading and
 * inlining, so the mark does as well. (ONNX Runtime removes the Identity when it loads the model.)
 */
export function stopGradient(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.scope(SCOPE, () => g.identity(x));
}

/** Whether a node is the mark of `stopGradient`. */
export function stopsGradient(node: Node): boolean {
  return node.opType === 'Identity' && new RegExp(`(^|/)${SCOPE}/Identity[^/]*$`).test(node.name);
}
