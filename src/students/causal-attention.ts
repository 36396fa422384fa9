import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { causalBias, distributions, joinHeads } from './attention.ts';
import { positionsInText, tokenPositions } from './token-positions.ts';

/**
 * What the values of a decoder are called that are other ones when keys and values of earlier tokens are kept: by these names
 * `withKeyValueCache` finds them, behind whatever scope.
 */
export const CACHE_SEAMS = {
  positions: 'text_positions',
  bias: 'causal_bias',
  keys: 'cached_keys',
  values: 'cached_values',
} as const;

/** Where the tokens of texts are, and what each may see. */
export interface TextSoFar {
  /** The position of each token in its own text, int64 [B, T]: from 0, on whichever side a batch is padded. */
  readonly positions: TypedValue;
  /** Added to scores of attention, float32 [B, 1, T, T]: hides padding and what comes later. */
  readonly bias: TypedValue;
}

/** Positions and bias of tokens int64 [B, T] and their mask int64 [B, T]. */
export function textSoFar(g: GraphBuilder, ids: TypedValue, attentionMask: TypedValue): TextSoFar {
  return {
    positions: g.identity(positionsInText(g, attentionMask), CACHE_SEAMS.positions),
    bias: g.identity(causalBias(g, attentionMask, tokenPositions(g, ids)), CACHE_SEAMS.bias),
  };
}

export interface CausalAttentionInputs {
  /** float32 [B, heads, T, size] */
  readonly query: TypedValue;
  /** float32 [B, keyHeads, size, T]: as they are multiplied. */
  readonly keys: TypedValue;
  /** float32 [B, keyHeads, T, size] */
  readonly values: TypedValue;
  /** Of queries; a multiple of those of keys. */
  readonly heads: number;
  readonly keyHeads: number;
  /** Width of a head. */
  readonly size: number;
  readonly bias: TypedValue;
}

/**
 * Scaled dot-product attention of a decoder: float32 [B, T, heads * size]. With fewer heads of keys than of queries, each serves
 * a group of neighbours (Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints",
 * 2023, section 2.2; arXiv 2305.13245): the queries of a group are read as more rows of one product, so that no key is copied.
 * The distributions [B, heads, T, T] are named `probabilities`.
 */
export function causalAttention(
  g: GraphBuilder,
  { query, keys, values, heads, keyHeads, size, bias }: CausalAttentionInputs,
): TypedValue {
  const areGrouped = heads !== keyHeads;
  const byKeys = (x: TypedValue) => (areGrouped ? g.reshape(x, [0, keyHeads, -1, 0]) : x);
  const byQueries = (x: TypedValue) => (areGrouped ? g.reshape(x, [0, heads, -1, 0]) : x);
  const products = byQueries(g.matMul(byKeys(query), g.identity(keys, CACHE_SEAMS.keys)));
  const probabilities = distributions(g, products, size, bias);
  const context = byQueries(g.matMul(byKeys(probabilities), g.identity(values, CACHE_SEAMS.values)));
  return joinHeads(g, context, heads * size);
}

/** float32 [B, T, heads * size] as [B, heads, T, size]. */
export function splitHeads(g: GraphBuilder, x: TypedValue, heads: number, size: number): TypedValue {
  return g.transpose(g.reshape(x, [0, 0, heads, size]), [0, 2, 1, 3]);
}

/** float32 [B, T, heads * size] as [B, heads, size, T]: in one transposition, of which a training step has two as well. */
export function splitKeys(g: GraphBuilder, x: TypedValue, heads: number, size: number): TypedValue {
  return g.transpose(g.reshape(x, [0, 0, heads, size]), [0, 2, 3, 1]);
}
