import { intAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { transposedGeometry, windowGeometry } from '../../onnx/window-geometry.ts';
import { range } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';
import { type Convolution, inputGradient, weightGradient } from './convolution-gradients.ts';

/** The sizes of a kernel, from its weights. */
function kernelOf(w: TypedValue): number[] {
  return w.shape.slice(2).map((size) => {
    if (typeof size !== 'number')
      throw new UnsupportedGradient(`the kernel of '${w.name}' has an unknown size`);
    return size;
  });
}

/** The sum over samples and pixels of [N, M, ...]: [M]. */
function biasGradient(g: GraphBuilder, dy: TypedValue): TypedValue {
  return g.reduceSum(dy, { axes: range(dy.shape.length).filter((axis) => axis !== 1), keepDims: false });
}

function convolutionOf(call: GradientCall, geometry: Convolution['geometry'] | undefined): Convolution {
  if (!geometry) throw new UnsupportedGradient('auto_pad over sizes that are not known');
  return { geometry, group: intAttribute(call.node, 'group', 1) };
}

const conv: GradientRule = (call) => {
  const { g, node } = call;
  const [x, w] = [inputOf(call, 0), inputOf(call, 1)];
  const dy = gradientOf(call);
  const convolution = convolutionOf(call, windowGeometry(node, kernelOf(w), x.shape));
  return [
    call.needs(0) ? inputGradient(g, convolution, x, w, dy) : null,
    call.needs(1) ? weightGradient(g, convolution, x, w, dy) : null,
    call.needs(2) ? biasGradient(g, dy) : null,
  ];
};

/** The gradient of a convolution's input, so its own gradients are a convolution and that one's weight gradient. */
const convTranspose: GradientRule = (call) => {
  const { g, node } = call;
  const [x, w] = [inputOf(call, 0), inputOf(call, 1)];
  const dy = gradientOf(call);
  const convolution = convolutionOf(call, transposedGeometry(node, kernelOf(w), x.shape));
  const { kernel, strides, dilations, before, after } = convolution.geometry;
  const dx = () =>
    g.op('Conv', [dy, w], {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...after],
      group: convolution.group,
    });
  return [
    call.needs(0) ? dx() : null,
    call.needs(1) ? weightGradient(g, convolution, dy, w, x) : null,
    call.needs(2) ? biasGradient(g, dy) : null,
  ];
};

export const CONVOLUTION_RULES: Record<string, GradientRule> = {
  Conv: conv,
  ConvTranspose: convTranspose,
};
