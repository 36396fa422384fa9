import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type BatchNormOptions, batchNorm, type ConvolutionSize, convolution } from './convolution.ts';
import type { ParameterMaker } from './parameters.ts';

export interface InvertedResidualSize {
  readonly inputs: number;
  /** Channels inside. */
  readonly expanded: number;
  readonly outputs: number;
  /** Of the depthwise convolution. */
  readonly kernel: 3 | 5;
  readonly stride: 1 | 2;
}

export interface InvertedResidualParts {
  readonly norm: BatchNormOptions;
  readonly activate: (x: TypedValue) => TypedValue;
  /** What is made of the channels inside before they are narrowed: squeeze and excitation. */
  readonly weigh?: ((x: TypedValue, channels: number) => TypedValue) | undefined;
}

/**
 * A block of Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), section 3.3: a widening 1x1 convolution
 * (absent where nothing is widened), a depthwise one and a narrowing 1x1 one without an activation; added to its input where both
 * have one shape. float32 [B, inputs, H, W] to [B, outputs, H / stride, W / stride].
 */
export function invertedResidual(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  { inputs, expanded, outputs, kernel, stride }: InvertedResidualSize,
  { norm, activate, weigh }: InvertedResidualParts,
): TypedValue {
  const normalized = (name: string, of: TypedValue, shape: ConvolutionSize) =>
    normalizedConvolution(g, make, name, of, shape, norm);
  let inner = x;
  if (expanded !== inputs) {
    inner = activate(normalized('expand', x, { inputs, outputs: expanded, kernel: 1 }));
  }
  const depthwise = { inputs: expanded, outputs: expanded, kernel, stride, groups: expanded };
  inner = activate(normalized('depthwise', inner, depthwise));
  if (weigh) inner = weigh(inner, expanded);
  const result = normalized('project', inner, { inputs: expanded, outputs, kernel: 1 });
  return stride === 1 && inputs === outputs ? g.add(result, x) : result;
}

/** A convolution without bias and its batch normalisation, in a scope of their own. */
export function normalizedConvolution(
  g: GraphBuilder,
  make: ParameterMaker,
  name: string,
  x: TypedValue,
  shape: ConvolutionSize,
  norm: BatchNormOptions,
): TypedValue {
  return g.scope(name, () => batchNorm(g, make, convolution(g, make, x, shape), shape.outputs, norm));
}

/** The nearest multiple of 8 that is not less than nine tenths of `count` (as the authors' code rounds). */
export function multipleOf8(count: number): number {
  const rounded = Math.max(8, Math.floor((count + 4) / 8) * 8);
  return rounded < 0.9 * count ? rounded + 8 : rounded;
}
