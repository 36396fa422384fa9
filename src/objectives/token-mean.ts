import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The mask of tokens, int64 [batch, sequence], as float32: 1 for a token, 0 for padding. */
export function tokenMask(g: GraphBuilder, attentionMask: TypedValue): TypedValue {
  return g.cast(attentionMask, 'float32');
}

/**
 * The mask among a model's values as float32; undefined where every place counts, as those of sounds do.
 *
 * @param of the value [batch, places, ...] that it is to be laid on
 */
export function maskAmong(
  g: GraphBuilder,
  { has, value }: { has(name: string): boolean; value(name: string): TypedValue },
  of?: TypedValue,
): TypedValue | undefined {
  if (!has(ATTENTION_MASK)) return undefined;
  const mask = value(ATTENTION_MASK);
  // Beside texts there may be a transformer of images: its patches are all there.
  const places = of?.shape[1];
  if (typeof places === 'number' && places !== mask.shape[1]) return undefined;
  return tokenMask(g, mask);
}

const ATTENTION_MASK = 'attention_mask';

/** The mean of a value for each token, [batch, sequence], over those that `mask` keeps (all without one): [batch]; 0 without tokens. */
export function meanOverTokens(
  g: GraphBuilder,
  values: TypedValue,
  mask: TypedValue | undefined,
): TypedValue {
  if (!mask) return g.reduceMean(values, { axes: [1], keepDims: false });
  const sum = g.reduceSum(g.mul(values, mask), { axes: [1], keepDims: false });
  return g.div(sum, g.max(g.reduceSum(mask, { axes: [1], keepDims: false }), 1));
}

/** The mean of vectors [batch, sequence, width] over the tokens that `mask` keeps (all without one): [batch, width]. */
export function meanVector(g: GraphBuilder, vectors: TypedValue, mask: TypedValue | undefined): TypedValue {
  if (!mask) return g.reduceMean(vectors, { axes: [1], keepDims: false });
  const count = g.max(g.reduceSum(mask, { axes: [1] }), 1);
  return g.squeeze(g.matMul(g.unsqueeze(g.div(mask, count), [1]), vectors), [1]);
}
