import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

const END = 2 ** 31 - 1;

export interface NeighbourOptions {
  readonly stride?: number;
  /** Whether zeros lie past the ends, so that every place is the middle of neighbours (true). */
  readonly padded?: boolean;
}

/**
 * Each place of a sequence beside those around it, every `stride`-th one: [B, T, D] -> [B, T', kernel * D]. A convolution over
 * one dimension is one matrix product over this: faster in ONNX Runtime than a Conv on short sequences, as are its gradients, and int8
 * as a product is.
 */
export function neighbours(
  g: GraphBuilder,
  x: TypedValue,
  kernel: number,
  { stride = 1, padded = true }: NeighbourOptions = {},
): TypedValue {
  const around = kernel - 1;
  if (around === 0 && stride === 1) return x;
  const whole = padded && around > 0 ? g.pad(x, 1, Math.floor(around / 2), Math.ceil(around / 2)) : x;
  const copies = Array.from({ length: kernel }, (_, offset) =>
    g.slice(whole, 1, offset, offset === around ? END : offset - around, stride),
  );
  return copies.length === 1 ? (copies[0] as TypedValue) : g.concat(copies, 2);
}
