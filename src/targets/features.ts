import type { TypedValue } from '../onnx/graph.ts';

/** Makes the parameters of a layer, with their initial values; names lie in the present scope of the graph. */
export interface ParameterMaking {
  /** Normal with standard deviation `deviation`. */
  normal(name: string, dims: readonly number[], deviation: number): TypedValue;
  /** A weight [inputs, outputs], normal with variance 2 / inputs: for layers that a ReLU follows. */
  he(name: string, inputs: number, outputs: number): TypedValue;
  /** A weight [inputs, outputs], normal with variance 2 / (inputs + outputs). */
  glorot(name: string, inputs: number, outputs: number): TypedValue;
  constant(name: string, dims: readonly number[], value: number): TypedValue;
}

/** A sample as a whole, each of its tokens (or frames), each place of its map, each token from it and those before it alone. */
export const FEATURE_KINDS = ['pooled', 'tokens', 'map', 'causal'] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** Whether there are features for each token. */
export function isByToken(kind: FeatureKind): boolean {
  return kind === 'tokens' || kind === 'causal';
}

/** What a backbone knows of a sample, for heads to attach to. */
export interface Features {
  /** Numbers for each sample, token or place. */
  readonly width: number;
  /**
   * float32: `pooled` [batch, width], `tokens` and `causal` [batch, sequence, width], `map` [batch, width, rows, columns]. Absent where
   * the backbone has only a linear form of them (a bag of n-grams with a number for each class).
   */
  readonly value?: TypedValue;
  /**
   * A linear layer over them, with bias: `pooled` [batch, outputs], `tokens` [batch, sequence, outputs], `map`
   * [batch, outputs, rows, columns]. Its parameters are `SCOPE/weight` and `SCOPE/bias` (a bag of n-grams has others).
   */
  project(scope: string, outputs: number): TypedValue;
  /**
   * Logits over the vocabulary by the table that embeds its tokens [batch, sequence, vocabulary], where the two are tied (Press
   * and Wolf, "Using the Output Embedding to Improve Language Models", 2017). Absent where they are not.
   */
  unembed?(): TypedValue;
  /** Beside `pooled`: the map that they are pooled from, where the backbone has one. */
  map?(): Features;
}

/** The features of a backbone, each made when a head asks for it: layers that no head needs are not built. */
export type BackboneFeatures = { readonly [K in FeatureKind]?: () => Features };
