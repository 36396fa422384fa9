import { z } from 'zod';
import { float } from '../onnx/attributes.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ParameterMaker } from './parameters.ts';

export interface ConvolutionSize {
  /** Channels. */
  readonly inputs: number;
  readonly outputs: number;
  /** Pixels along both sides; odd. */
  readonly kernel: number;
  readonly stride?: number;
  /** Groups that convolve on their own; as many as channels make it depthwise (1). */
  readonly groups?: number;
}

/**
 * A convolution without bias over [B, inputs, H, W] whose output is as large as its input, or smaller by the stride.
 * Its weight [outputs, inputs / groups, kernel, kernel] starts normal with variance 2 / fan-out (He et al., 2015).
 */
export function convolution(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  { inputs, outputs, kernel, stride = 1, groups = 1 }: ConvolutionSize,
): TypedValue {
  return g.scope('convolution', () => {
    const fanOut = (outputs * kernel ** 2) / groups;
    const weight = make.normal('weight', [outputs, inputs / groups, kernel, kernel], Math.sqrt(2 / fanOut));
    const pad = (kernel - 1) / 2;
    return g.op('Conv', [x, weight], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
  });
}

export interface BatchNormOptions {
  /** The gain at the start (1); 0 for the last one of a residual branch makes that branch nothing at first. */
  readonly gain?: number;
  /** How much of the running statistics a step keeps (0.9). */
  readonly momentum?: number;
  readonly epsilon?: number;
}

/** `BatchNormOptions.momentum`, as a recipe has it. */
export function momentumOption(value: number) {
  return z
    .number()
    .min(0)
    .max(0.9999)
    .default(value)
    .describe(
      'How much of its running statistics batch normalisation keeps at each step: 0.9 for trainings of few hundred steps.',
    );
}

/**
 * Batch normalisation over [B, channels, H, W] in its training form (Ioffe and Szegedy, 2015), with the parameters
 * `normalization/scale` and `normalization/bias` and the buffers `normalization/running_mean` and
 * `normalization/running_var` [channels].
 */
export function batchNorm(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  channels: number,
  { gain = 1, momentum = 0.9, epsilon = 1e-5 }: BatchNormOptions = {},
): TypedValue {
  return g.scope('normalization', () => {
    const inputs = [
      x,
      make.constant('scale', [channels], gain),
      make.constant('bias', [channels], 0),
      make.buffer('running_mean', [channels], 0),
      make.buffer('running_var', [channels], 1),
    ];
    const attributes = { epsilon: float(epsilon), momentum: float(momentum), training_mode: 1 };
    return g.node('BatchNormalization', inputs, attributes, { outputs: 3 })[0];
  });
}
