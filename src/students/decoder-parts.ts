import type { Tensor } from '../onnx/tensor.ts';

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
