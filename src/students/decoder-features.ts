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

/** All that the body of a decoder has features of, with the table of its tokens tied to the logits. */
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
  { last, tokens, attentionMask, width, deviation }: DecoderBody,
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
    causal: () => ({ ...over(last), unembed: () => g.matMul(last, g.transpose(tokens, [1, 0])) }),
  };
}
