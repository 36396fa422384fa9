import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Features } from '../targets/features.ts';
import { glorotLinear } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';

/** Features [batch, width] under a linear layer with Glorot's initial weights. */
export function pooledFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  value: TypedValue,
  width: number,
): Features {
  return {
    width,
    value,
    project: (scope, outputs) =>
      g.scope(scope, () =>
        g.gemm(value, make.glorot('weight', width, outputs), make.constant('bias', [outputs], 0)),
      ),
  };
}

/** Features [batch, sequence, width] under the same layer for each token. */
export function tokenFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  value: TypedValue,
  width: number,
): Features {
  return {
    width,
    value,
    project: (scope, outputs) => glorotLinear(g, make, scope, value, [width, outputs]),
  };
}

/** Features [batch, width, rows, columns] under a 1x1 convolution. */
export function mapFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  value: TypedValue,
  width: number,
): Features {
  return {
    width,
    value,
    project: (scope, outputs) =>
      g.scope(scope, () => {
        const weight = make.normal('weight', [outputs, width, 1, 1], Math.sqrt(2 / (width + outputs)));
        return g.op('Conv', [value, weight, make.constant('bias', [outputs], 0)]);
      }),
  };
}
