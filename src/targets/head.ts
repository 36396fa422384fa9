import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { FeatureKind, Features, ParameterMaking } from './features.ts';

/** How a named output of a model is made from a backbone's features. */
export interface AttachedHead {
  /** The name of the model's output: `logits`, `embedding`, ... */
  readonly output: string;
  readonly features: FeatureKind;
  /** The layers from the features to the output. */
  attach(g: GraphBuilder, make: ParameterMaking, features: Features): TypedValue;
}
