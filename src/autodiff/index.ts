/**
 * Gradients of ONNX graphs, as ONNX graphs (`limbeck/autodiff`). Runs in Node and in a browser.
 *
 * @example
 * import { gradients } from 'limbeck/autodiff';
 * import { GraphBuilder } from 'limbeck/onnx';
 *
 * const g = new GraphBuilder();
 * const x = g.input('x', 'float32', [3]);
 * const loss = g.reduceSum(g.mul(x, x), { keepDims: false });
 * const [slope] = gradients(g, loss, [x]);
 */
export {
  type DifferentiatedModel,
  type DifferentiateOptions,
  differentiateModel,
  GRADIENT_PREFIX,
} from './differentiate-model.ts';
export { type GradientOptions, gradients } from './gradients.ts';
export {
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  outputOf,
  UnsupportedGradient,
} from './rule.ts';
