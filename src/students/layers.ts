import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ParameterMaking } from '../targets/features.ts';
import type { ParameterMaker } from './parameters.ts';

/** x W + b over the last axis; W [inputs, outputs] starts normal with standard deviation `deviation`, b at 0. */
export function linear(
  g: GraphBuilder,
  make: ParameterMaking,
  name: string,
  x: TypedValue,
  [inputs, outputs]: readonly [number, number],
  deviation: number,
): TypedValue {
  return affine(g, make, name, x, outputs, () => make.normal('weight', [inputs, outputs], deviation));
}

/** The same with Glorot's initial weights. */
export function glorotLinear(
  g: GraphBuilder,
  make: ParameterMaking,
  name: string,
  x: TypedValue,
  [inputs, outputs]: readonly [number, number],
): TypedValue {
  return affine(g, make, name, x, outputs, () => make.glorot('weight', inputs, outputs));
}

function affine(
  g: GraphBuilder,
  make: ParameterMaking,
  name: string,
  x: TypedValue,
  outputs: number,
  weight: () => TypedValue,
): TypedValue {
  return g.scope(name, () => g.add(g.matMul(x, weight()), make.constant('bias', [outputs], 0)));
}

/** x W over the last axis; W [inputs, outputs] starts normal with standard deviation `deviation`. */
export function withoutBias(
  g: GraphBuilder,
  make: ParameterMaker,
  name: string,
  x: TypedValue,
  [inputs, outputs]: readonly [number, number],
  deviation: number,
): TypedValue {
  return g.scope(name, () => g.matMul(x, make.normal('weight', [inputs, outputs], deviation)));
}

/**
 * Divides by the root of the mean square over the last axis of `width` elements, then scales (Zhang and Sennrich, "Root Mean Square
 * Layer Normalization", 2019; arXiv 1910.07467). In the operators that ONNX Runtime fuses into one where it does not train.
 */
export function rmsNorm(
  g: GraphBuilder,
  make: ParameterMaker,
  name: string,
  x: TypedValue,
  width: number,
  epsilon: number,
): TypedValue {
  return g.scope(name, () => {
    const meanSquare = g.reduceMean(g.pow(x, 2), { axes: [-1] });
    return g.mul(g.div(x, g.sqrt(g.add(meanSquare, epsilon))), make.constant('weight', [width], 1));
  });
}

/** LayerNormalization over the last axis of `width` elements, with a scale and a bias. */
export function layerNorm(
  g: GraphBuilder,
  make: ParameterMaker,
  name: string,
  x: TypedValue,
  width: number,
  epsilon = 1e-5,
): TypedValue {
  return g.scope(name, () =>
    g.layerNormalization(x, make.constant('scale', [width], 1), make.constant('bias', [width], 0), epsilon),
  );
}
