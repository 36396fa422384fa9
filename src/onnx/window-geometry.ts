import { type Dim, intAttribute, intsAttribute, type Node, type Shape, stringAttribute } from './graph.ts';

/** How a window moves over the spatial axes of [batch, channels, ...]: what Conv, ConvTranspose and pools share. */
export interface WindowGeometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the first element of every spatial axis. */
  readonly before: readonly number[];
  /** Padding after the last one. */
  readonly after: readonly number[];
}

/** What a dilated kernel spans along one axis. */
export function span(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/**
 * The window of a node over an input of shape [batch, channels, ...spatial]. `kernel` is given by the weights of a
 * convolution and by `kernel_shape` of a pool. undefined where `auto_pad` needs a size that is not known.
 *
 * ONNX operator specification, Conv and MaxPool, attribute `auto_pad`.
 */
export function windowGeometry(
  node: Pick<Node, 'attributes'>,
  kernel: readonly number[],
  input: Shape,
): WindowGeometry | undefined {
  const rank = kernel.length;
  const each = (name: string) => intsAttribute(node, name) ?? new Array<number>(rank).fill(1);
  const strides = each('strides');
  const dilations = each('dilations');
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const before: number[] = [];
    const after: number[] = [];
    for (let axis = 0; axis < rank; axis++) {
      const size = input[axis + 2];
      const needed = span(kernel[axis], dilations[axis]);
      if (typeof size !== 'number' && strides[axis] !== 1) return undefined;
      const total =
        typeof size === 'number'
          ? Math.max((Math.ceil(size / strides[axis]) - 1) * strides[axis] + needed - size, 0)
          : needed - 1;
      const small = Math.floor(total / 2);
      before.push(autoPad === 'SAME_UPPER' ? small : total - small);
      after.push(autoPad === 'SAME_UPPER' ? total - small : small);
    }
    return { kernel, strides, dilations, before, after };
  }
  const pads = autoPad === 'VALID' ? undefined : intsAttribute(node, 'pads');
  const before = pads ? pads.slice(0, rank) : new Array<number>(rank).fill(0);
  const after = pads ? pads.slice(rank) : new Array<number>(rank).fill(0);
  return { kernel, strides, dilations, before, after };
}

/** How many places a window has along one axis. The last one may hang over the end where `ceil` is set. */
export function windowCount(geometry: WindowGeometry, axis: number, size: number, ceil = false): number {
  const { kernel, strides, dilations, before, after } = geometry;
  const room = size + before[axis] + after[axis] - span(kernel[axis], dilations[axis]);
  if (room < 0) return 0;
  if (!ceil) return Math.floor(room / strides[axis]) + 1;
  const count = Math.ceil(room / strides[axis]) + 1;
  // A window that begins in the padding after the end is left out.
  return (count - 1) * strides[axis] >= size + before[axis] ? count - 1 : count;
}

/** The spatial sizes of a window's output; names where the input has names. */
export function windowOutput(
  node: Pick<Node, 'attributes'>,
  geometry: WindowGeometry | undefined,
  input: Shape,
  freshDim: () => string,
): Dim[] {
  const ceil = intAttribute(node, 'ceil_mode', 0) === 1;
  return input.slice(2).map((size, axis) => {
    if (!geometry) return freshDim();
    if (typeof size === 'number') return windowCount(geometry, axis, size, ceil);
    const { kernel, strides, dilations, before, after } = geometry;
    const keeps =
      strides[axis] === 1 && before[axis] + after[axis] === span(kernel[axis], dilations[axis]) - 1;
    return keeps ? size : freshDim();
  });
}

/** Padding, strides and dilations of a ConvTranspose over `input`; `pads` follow from `output_shape` where it is given. */
export function transposedGeometry(
  node: Pick<Node, 'attributes'>,
  kernel: readonly number[],
  input: Shape,
): (WindowGeometry & { readonly outputPadding: readonly number[] }) | undefined {
  const rank = kernel.length;
  const each = (name: string, fallback: number) =>
    intsAttribute(node, name) ?? new Array<number>(rank).fill(fallback);
  const strides = each('strides', 1);
  const dilations = each('dilations', 1);
  const outputPadding = each('output_padding', 0);
  const autoPad = stringAttribute(node, 'auto_pad', 'NOTSET');
  const wanted = intsAttribute(node, 'output_shape')?.slice(-rank);
  const pads = intsAttribute(node, 'pads');
  if (!wanted && (autoPad === 'NOTSET' || autoPad === 'VALID')) {
    const none = new Array<number>(rank).fill(0);
    const given = autoPad === 'NOTSET' ? pads : undefined;
    const before = given?.slice(0, rank) ?? none;
    const after = given?.slice(rank) ?? none;
    return { kernel, strides, dilations, before, after, outputPadding };
  }
  const before: number[] = [];
  const after: number[] = [];
  const beyond: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const size = input[axis + 2];
    if (typeof size !== 'number') return undefined;
    const target = wanted ? wanted[axis] : size * strides[axis];
    const full = strides[axis] * (size - 1) + outputPadding[axis] + span(kernel[axis], dilations[axis]);
    const total = Math.max(full - target, 0);
    const small = Math.floor(total / 2);
    before.push(autoPad === 'SAME_UPPER' ? small : total - small);
    after.push(autoPad === 'SAME_UPPER' ? total - small : small);
    // A wanted size may be more than the kernel reaches: the rest is zeros after the end.
    beyond.push(outputPadding[axis] + Math.max(target - full, 0));
  }
  return { kernel, strides, dilations, before, after, outputPadding: beyond };
}
