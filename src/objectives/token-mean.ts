import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { sourcesOf } from '../onnx/graph-sources.ts';
import { holdsWords, PAD } from '../targets/sentence-words.ts';

/** The mask of tokens, int64 [batch, sequence], as float32: 1 for a token, 0 for padding. */
export function tokenMask(g: GraphBuilder, attentionMask: TypedValue): TypedValue {
  return g.cast(attentionMask, 'float32');
}

/**
 * The mask among a model's values as float32; undefined where every place counts, as those of sounds do, and beside texts those of
 * images: whose places a value has is told by what it is computed from. Of sentences that are written, the words.
 *
 * @param of the value that it is to be laid on
 */
export function maskAmong(
  g: GraphBuilder,
  { has, value }: { has(name: string): boolean; value(name: string): TypedValue },
  of?: TypedValue,
): TypedValue | undefined {
  if (!has(ATTENTION_MASK)) return of && wordMask(g, of);
  const mask = value(ATTENTION_MASK);
  return of && isOfOthers(g, of, mask) ? undefined : tokenMask(g, mask);
}

/** Of a sentence that is written from an image: what is computed from its words has a place for each, and padding behind them. */
function wordMask(g: GraphBuilder, of: TypedValue): TypedValue | undefined {
  const sources = sourcesOf(g.nodes, of);
  const words = g.inputs.find((input) => holdsWords(input.name) && sources.has(input));
  if (!words || !of.shape.slice(1).includes(words.shape[1] as number)) return undefined;
  return g.cast(g.greater(words, g.scalar(PAD, 'int64')), 'float32');
}

/** Whether a value has no places of the mask, or is computed from inputs of which none has an id for each place of it. */
function isOfOthers(g: GraphBuilder, of: TypedValue, mask: TypedValue): boolean {
  const [, ...axes] = of.shape;
  // Frames of a sound, whose mask is one of its samples.
  if (axes.every((size) => typeof size === 'number') && !axes.includes(mask.shape[1] as number)) return true;
  const sources = sourcesOf(g.nodes, of);
  if (sources.has(of) || sources.has(mask)) return false;
  const ids = g.inputs.filter(({ type, shape }) => type === 'int64' && `${shape}` === `${mask.shape}`);
  return !ids.some((input) => sources.has(input));
}

export const ATTENTION_MASK = 'attention_mask';

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
