import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import type { BackboneFeatures, Features } from '../targets/features.ts';
import { linear } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';
import { lastToken } from './token-positions.ts';

/** What a decoder is built for. */
export interface DecoderContext {
  readonly vocabularySize: number;
  /** Tokens in the longest text. */
  readonly maxLength: number;
  /** Draws the initial parameters. */
  readonly random: RandomStream;
}

/** All that the body of a decoder has features of; its logits come from the table of its tokens, or from one of their own. */
export interface DecoderFeatures extends BackboneFeatures {
  readonly pooled: () => Features;
  readonly tokens: () => Features;
  readonly causal: () => Features & { unembed(): TypedValue };
}

export interface DecoderBody {
  /** What the last layer gives, normalised: float32 [B, T, width]. */
  readonly last: TypedValue;
  /** The table that embeds tokens, float32 [vocabulary, width]. */
  readonly tokens: TypedValue;
  /** The table that logits come from, float32 [vocabulary, width]; that of the tokens when absent. */
  readonly unembedding?: TypedValue | undefined;
  /** int64 [B, T] */
  readonly attentionMask: TypedValue;
  readonly width: number;
  /** Of the weights of heads, at the start. */
  readonly deviation: number;
}

/** What heads may attach to behind a decoder's last layer. */
export function decoderFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  { last, tokens, unembedding = tokens, attentionMask, width, deviation }: DecoderBody,
): DecoderFeatures {
  const over = (value: TypedValue): Features => ({
    width,
    value,
    project: (scope, outputs) => linear(g, make, scope, value, [width, outputs], deviation),
  });
  return {
    // The last token has seen all others: what the classifiers of transformers over decoders answer by.
    pooled: () => over(lastToken(g, last, attentionMask)),
    tokens: () => over(last),
    causal: () => ({ ...over(last), unembed: () => unembedded(g, last, unembedding) }),
  };
}

/**
 * Logits by a table of tokens (the one that embeds them, most often), float32 [B, T, vocabulary]. As one product with the table itself, transposed on the way: so it
 * is a layer with weights for what quantises, and not one with computed ones.
 */
function unembedded(g: GraphBuilder, last: TypedValue, tokens: TypedValue): TypedValue {
  const [vocabulary, width] = tokens.shape as readonly [number, number];
  const rows = g.gemm(g.reshape(last, [-1, width]), tokens, null, { transB: true });
  const sizes = g.slice(g.shapeOf(last), 0, 0, 2);
  return g.op('Reshape', [rows, g.concat([sizes, g.ints([vocabulary])], 0)]);
}
