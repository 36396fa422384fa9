import { size } from './size-options.ts';

export const MOST_HEADS = 128;
export const MOST_INNER = 32_768;
/** Of a feed-forward block. */
export const INNER = 'Width inside the feed-forward block';

/** The options that all transformers have. */
export function transformerOptions({
  width,
  layers,
  kind,
  heads = 'Attention heads; they divide the width.',
}: {
  readonly width: number;
  readonly layers: number;
  /** `Encoder`, `Decoder`. */
  readonly kind: string;
  /** What is said of the heads. */
  readonly heads?: string;
}) {
  return {
    width: size(8192, width, 'Width of embeddings and layers.'),
    heads: size(MOST_HEADS, 4, heads),
    layers: size(96, layers, `${kind} layers.`),
  };
}
