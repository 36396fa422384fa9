import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { TextInputs } from './backbone.ts';
import type { DecoderFeatures } from './decoder-features.ts';
import { gpt2Body } from './gpt2.ts';
import { llamaBody } from './llama.ts';
import type { ParameterMaker } from './parameters.ts';

/** The decoders that can be read from a model and built again, by the kind of the student that they are. */
export type DecoderKind = 'gpt2' | 'llama';

/** Sizes of a decoder, and what of its form is not the same for all of its kind. */
export interface DecoderSizes {
  /** Of hidden states. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; as many as heads in GPT-2. */
  readonly keyHeads: number;
  readonly headSize: number;
  /** Width inside the feed-forward block. */
  readonly feedForward: number;
  /** Added in normalisations. */
  readonly epsilon: number;
  /** Of rotary positions; absent where positions are learnt. */
  readonly theta?: number | undefined;
  /** Whether the table that embeds tokens gives the logits, too. */
  readonly tied: boolean;
}

/** A decoder that was read from a model. */
export interface GivenDecoder {
  readonly kind: DecoderKind;
  readonly sizes: DecoderSizes;
  /** Under the names of students of its kind, matrices as [inputs, outputs]. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * The body of a given decoder: tables have the rows of the recipe's vocabulary, positions those of its texts. It is built as a
 * student of its kind, so it keeps keys and values, is measured and ships as one.
 */
export function givenDecoder(
  g: GraphBuilder,
  make: ParameterMaker,
  { kind, sizes, weights }: GivenDecoder,
  inputs: TextInputs,
): DecoderFeatures {
  const rows: Readonly<Record<string, number>> = {
    'wte/weight': inputs.vocabularySize,
    'embed_tokens/weight': inputs.vocabularySize,
    'lm_head/weight': inputs.vocabularySize,
    'wpe/weight': inputs.maxLength,
  };
  make.inherit(
    new Map([...weights].map(([name, content]) => [name, firstRows(content, rows[name])] as const)),
  );
  return kind === 'gpt2' ? gpt2Body(g, make, sizes, inputs) : llamaBody(g, make, sizes, inputs);
}

/** Tables of exporters have rows that no token has, and more positions than texts have tokens. */
function firstRows(content: Tensor, rows: number | undefined): Tensor {
  const [all, ...rest] = content.dims as [number, ...number[]];
  if (rows === undefined || rows >= all) return content;
  const length = content.data.length / all;
  return { ...content, dims: [rows, ...rest], data: content.data.slice(0, rows * length) } as Tensor;
}
