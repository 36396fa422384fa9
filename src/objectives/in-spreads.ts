import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ObjectiveContext } from './objective.ts';

/** Numbers of an output as multiples of their spread, where the context tells it. */
export function inSpreads(
  g: GraphBuilder,
  value: TypedValue,
  output: string,
  { spreads }: Pick<ObjectiveContext, 'spreads'>,
): TypedValue {
  const spread = spreads?.get(output) ?? 1;
  return spread === 1 ? value : g.mul(value, 1 / spread);
}
