import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';

/** How far each pair of numbers of a head is turned at each token: cosines and sines, float32 [B, 1, T, size / 2]. */
export interface Rotation {
  readonly cos: TypedValue;
  readonly sin: TypedValue;
}

/**
 * Rotary positions (Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021, section 3.2.2;
 * arXiv 2104.09864): pair i is turned by position * theta^(-2 i / size), so that products of queries and keys depend on how far they
 * are apart.
 *
 * @param positions int64 [B, T]
 * @param size width of a head, even
 */
export function rotation(g: GraphBuilder, positions: TypedValue, size: number, theta: number): Rotation {
  const frequencies = Array.from({ length: size / 2 }, (_, i) => theta ** ((-2 * i) / size));
  const angles = g.mul(g.unsqueeze(g.cast(positions, 'float32'), [1, 3]), g.constant(float32(frequencies)));
  return { cos: g.cos(angles), sin: g.sin(angles) };
}

/** Queries or keys, float32 [B, heads, T, size], turned. Number i is a pair with i + size / 2, as in transformers. */
export function rotated(g: GraphBuilder, x: TypedValue, { cos, sin }: Rotation): TypedValue {
  const half = (x.shape[3] as number) / 2;
  const [first, second] = g.node('Split', [x, g.ints([half, half])], { axis: 3 }, { outputs: 2 }) as [
    TypedValue,
    TypedValue,
  ];
  return g.concat(
    [g.sub(g.mul(first, cos), g.mul(second, sin)), g.add(g.mul(second, cos), g.mul(first, sin))],
    3,
  );
}
