import { type Dim, intAttribute, type Shape } from '../graph.ts';
import { span, transposedGeometry, windowGeometry, windowOutput } from '../window-geometry.ts';
import {
  formatShape,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  requireEqualDims,
  ShapeError,
} from './rule.ts';

/** The spatial sizes of the weights; undefined when one is not known. */
function kernelOf({ opType }: InferenceContext, x: Shape, w: Shape): number[] | undefined {
  if (x.length !== w.length || x.length < 3) {
    throw new ShapeError(
      `${opType} takes an input and weights of one rank, not ${formatShape(x)} and ${formatShape(w)}`,
    );
  }
  const kernel = w.slice(2);
  return kernel.every((size) => typeof size === 'number') ? kernel : undefined;
}

const conv: InferenceRule = (context) => {
  const [x, w] = [inputAt(context, 0), inputAt(context, 1)];
  const kernel = kernelOf(context, x.shape, w.shape);
  const group = intAttribute(context, 'group', 1);
  const [, channels] = x.shape;
  if (typeof channels === 'number' && typeof w.shape[1] === 'number') {
    requireEqualDims(
      channels,
      w.shape[1] * group,
      `channels of ${formatShape(x.shape)} and weights ${formatShape(w.shape)}`,
    );
  }
  const spatial = windowOutput(
    context,
    kernel && windowGeometry(context, kernel, x.shape),
    x.shape,
    context.freshDim,
  );
  return [{ type: x.type, shape: [x.shape[0], w.shape[0], ...spatial] }];
};

const convTranspose: InferenceRule = (context) => {
  const [x, w] = [inputAt(context, 0), inputAt(context, 1)];
  const kernel = kernelOf(context, x.shape, w.shape);
  requireEqualDims(
    x.shape[1],
    w.shape[0],
    `channels of ${formatShape(x.shape)} and weights ${formatShape(w.shape)}`,
  );
  const geometry = kernel && transposedGeometry(context, kernel, x.shape);
  const spatial = x.shape.slice(2).map((input, axis): Dim => {
    if (!geometry || typeof input !== 'number') return context.freshDim();
    const { kernel: sizes, strides, dilations, before, after, outputPadding } = geometry;
    const full = strides[axis] * (input - 1) + outputPadding[axis] + span(sizes[axis], dilations[axis]);
    return full - before[axis] - after[axis];
  });
  const group = intAttribute(context, 'group', 1);
  const outputs =
    typeof w.shape[1] === 'number' ? w.shape[1] * group : group === 1 ? w.shape[1] : context.freshDim();
  return [{ type: x.type, shape: [x.shape[0], outputs, ...spatial] }];
};

export const CONVOLUTION_RULES: Record<string, InferenceRule> = {
  Conv: conv,
  'com.microsoft::FusedConv': conv,
  ConvTranspose: convTranspose,
};
