import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ParameterMaker } from './parameters.ts';

/** The mean of [B, channels, H, W] over all places, named `pooled` [B, channels]. */
export function pooled(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.identity(g.op('Flatten', [g.op('GlobalAveragePool', [x])]), 'pooled');
}

/** A linear classifier over features [B, width]: logits [B, classes]. */
export function classifier(
  g: GraphBuilder,
  make: ParameterMaker,
  features: TypedValue,
  width: number,
  classes: number,
): TypedValue {
  return g.scope('classifier', () =>
    g.gemm(features, make.glorot('weight', width, classes), make.constant('bias', [classes], 0)),
  );
}
