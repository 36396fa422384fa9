import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { multiHeadAttention } from './attention.ts';
import { layerNorm, linear } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';

/** Sizes of a layer, and what its parts are called. */
export interface PreNormLayer {
  readonly width: number;
  readonly heads: number;
  readonly feedForward: number;
  /** Of weights, at the start: of queries, keys and values, of the widening layer, of those that end in the residual stream. */
  readonly deviations: { readonly attention: number; readonly up: number; readonly residual: number };
  /** Added to the variance in normalisations. */
  readonly epsilon: number;
  /** Added to scores of attention; nothing when absent. */
  readonly bias?: TypedValue | undefined;
  readonly activation: (x: TypedValue) => TypedValue;
  readonly names: {
    readonly norms: readonly [string, string];
    /** The scope of queries, keys, values and distributions. */
    readonly attention: string;
    readonly projections: readonly [string, string, string];
    readonly joined: string;
    readonly up: string;
    readonly down: string;
  };
}

/**
 * A layer of a transformer that normalises before each block: attention, then a feed-forward block, each added to what it reads,
 * float32 [B, T, width]. Its end is named `output`.
 */
export function preNormLayer(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  { width, heads, feedForward, deviations, epsilon, bias, activation, names }: PreNormLayer,
): TypedValue {
  const { attention, up, residual } = deviations;
  const norm = (which: 0 | 1, of: TypedValue) => layerNorm(g, make, names.norms[which], of, width, epsilon);
  const asked = norm(0, x);
  const context = g.scope(names.attention, () => {
    const [query, key, value] = names.projections.map((name) =>
      linear(g, make, name, asked, [width, width], attention),
    ) as [TypedValue, TypedValue, TypedValue];
    return multiHeadAttention(g, { query, key, value, heads, width, bias });
  });
  const attended = g.add(linear(g, make, names.joined, context, [width, width], residual), x);
  const inner = activation(linear(g, make, names.up, norm(1, attended), [width, feedForward], up));
  return g.identity(
    g.add(linear(g, make, names.down, inner, [feedForward, width], residual), attended),
    'output',
  );
}
