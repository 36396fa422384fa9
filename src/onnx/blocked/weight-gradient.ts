import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { elementCount, float32 } from '../tensor.ts';
import { span } from '../window-geometry.ts';
import { BLOCKED, blockedConvolution, fromBlocks, weightBlocks } from './kernels.ts';
import type { ConvolutionPlace } from './noted-convolution.ts';

/** What the gradient of a convolution's weights is computed from. */
export interface WeightGradientParts extends ConvolutionPlace {
  /** [N, C, H, W], in the standard order. */
  readonly x: TypedValue;
  /** The same in blocks, or with samples side by side, where it lies so too. */
  readonly blockedX?: TypedValue | undefined;
  /** [N, O, H', W'], in blocks. */
  readonly dy: TypedValue;
  /** [O, C, K, L]. */
  readonly shape: readonly number[];
}

/**
 * Whether `blockedWeightGradient` is to compute it: one group, whole blocks of outputs, no dilation, and with a stride no
 * more columns than a block has. A kernel of 1x1 is one product for each sample, which is faster.
 */
export function hasBlockedWeightGradient(
  { geometry, group }: ConvolutionPlace,
  shape: readonly number[],
  dy: readonly number[],
  block: number,
): boolean {
  const [, , rows, columns] = shape;
  const plain =
    group === 1 && shape.length === 4 && rows * columns > 1 && geometry.dilations.every((step) => step === 1);
  const strided = geometry.strides.some((step) => step > 1);
  return plain && shape[0] % block === 0 && (!strided || dy[3] <= block);
}

/**
 * d loss / d w of y = Conv(x, w), [O, C, K, L], as convolutions whose kernel is dy. The columns of an image take the
 * place of channels: B columns of x, in the standard order, are a block of channels, and the blocked dy of a sample lies
 * as the weights of a convolution over them do, [O / B, H' W' / B, B columns, B outputs]. So nothing is reordered; both are
 * padded to whole blocks of columns, and x is shifted for each column of the kernel. The samples are groups:
 *
 *     input  [1, N B, C rows, H W / B columns], kernel [N O, B, 1, H' W' / B]: result [1, N O, C, K], summed over N.
 *
 * 3x3 over [128, 32, 28, 28]: 28 ms of processor time, products for each place of the kernel 41 (docs/performance.md).
 */
export function blockedWeightGradient(
  g: GraphBuilder,
  { geometry, x, blockedX, dy, shape }: WeightGradientParts,
  block: number,
): TypedValue {
  const [batch, inputs] = x.shape as number[];
  const [, outputs, height, columns] = dy.shape as number[];
  const [, , kernelRows, kernelColumns] = shape as number[];
  const [down, across] = geometry.strides as number[];
  const blocks = Math.ceil(columns / block);
  const whole = blocks * block;

  const rows = (height - 1) * down + span(kernelRows, 1);
  const before = geometry.before as number[];
  const below = rows - (x.shape[2] as number) - before[0];
  const kernel = g.reshape(whole === columns ? dy : movedColumns(g, dy, { right: whole - columns }, block), [
    batch * outputs,
    block,
    1,
    height * blocks,
  ]);
  const places: ColumnPlaces = {
    kernelColumns,
    across,
    columns: [columns, whole],
    before: [before[0] as number, before[1] as number],
    below,
  };
  // With a stride each copy is a part of x; without one three whole copies in both orders would be in memory at once.
  const stepped = across > 1 && blockedX ? shiftedBlocks(g, blockedX, places, block) : undefined;
  const shifted =
    stepped ??
    shiftedColumns(g, x, places, (move) =>
      blockedX ? fromBlocks(g, movedColumns(g, blockedX, move, block)) : undefined,
    );
  const found = shifted.map((seen) => {
    const image = g.reshape(seen, [1, batch * block, inputs, rows * blocks]);
    const result = g.op(
      'Conv',
      [image, kernel],
      {
        kernel_shape: [1, height * blocks],
        strides: [1, blocks],
        // With a stride a row is one block, so that the rows between are stepped over.
        dilations: [1, down],
        pads: [0, 0, 0, 0],
        group: batch,
      },
      { domain: BLOCKED },
    );
    const bySample = g.reshape(result, [batch, outputs * inputs * kernelRows]);
    return g.reduceSum(bySample, { axes: [0] });
  });
  const all = found.length === 1 ? (found[0] as TypedValue) : g.concat(found, 0);
  const parts = g.reshape(all, [kernelColumns, outputs / block, inputs, kernelRows, block]);
  return g.reshape(g.transpose(parts, [1, 4, 2, 3, 0]), shape);
}

/** Where the columns of x are that a column of the kernel meets. */
interface ColumnPlaces {
  readonly kernelColumns: number;
  /** The stride along a row. */
  readonly across: number;
  /** Of dy, before and after it is padded to whole blocks. */
  readonly columns: readonly [own: number, whole: number];
  /** Rows and columns of zeros before x. */
  readonly before: readonly [rows: number, columns: number];
  /** Rows of zeros behind x. */
  readonly below: number;
}

/**
 * For each column of the kernel the columns of x that it meets, [N, C, rows, whole], from x in blocks: padded, moved and
 * stepped over by the stride in one pass on all threads, and reordered. undefined where rows or columns are to be cut off.
 */
function shiftedBlocks(
  g: GraphBuilder,
  x: TypedValue,
  { kernelColumns, across, columns: [, whole], before: [above, left], below }: ColumnPlaces,
  block: number,
): TypedValue[] | undefined {
  const width = x.shape[3] as number;
  const moves = Array.from({ length: kernelColumns }, (_, column) => {
    const cut = Math.max(0, column - left);
    const before = Math.max(0, left - column);
    const right = (whole - 1) * across + 1 + cut - width - before;
    return { above, below, left: before, right, cut, across };
  });
  if (below < 0 || moves.some(({ right }) => right < 0)) return undefined;
  return moves.map((move) => fromBlocks(g, movedColumns(g, x, move, block)));
}

/** Rows and columns of zeros around a blocked tensor, `cut` columns at its left end left out, and every `across`-th column kept. */
interface Move {
  readonly above?: number;
  readonly below?: number;
  readonly left?: number;
  readonly right: number;
  readonly cut?: number;
  readonly across?: number;
}

/**
 * It is a depthwise convolution whose kernel has one 1: [128, 32, 28, 28] with two threads 0.24 ms, where a Pad, which runs
 * on one thread, takes 0.96.
 */
function movedColumns(
  g: GraphBuilder,
  x: TypedValue,
  { above = 0, below = 0, left = 0, right, cut = 0, across = 1 }: Move,
  block: number,
): TypedValue {
  const channels = x.shape[1] as number;
  const length = cut + 1;
  const ones = Float32Array.from({ length: channels * length }, (_, i) => (i % length === cut ? 1 : 0));
  const kernel = g.constant(float32(ones, [channels, 1, 1, length]));
  return blockedConvolution(
    g,
    { x, weights: weightBlocks(g, kernel, block, true) },
    {
      kernel_shape: [1, length],
      strides: [1, across],
      dilations: [1, 1],
      pads: [above, left, below, right],
      group: channels,
    },
  );
}

/**
 * For each column of the kernel the columns of x that it meets, [N, C, rows, whole]. One column further is one element further
 * in memory: x is padded once, sorted by the remainder of its columns by the stride, and copied as a whole from another place
 * on. A row then ends with what the next one begins with, which meets columns of dy that are zero, if there are enough of them.
 *
 * @param widened x with zeros around it, where it can be had in a faster way than by a Pad
 */
function shiftedColumns(
  g: GraphBuilder,
  x: TypedValue,
  { kernelColumns, across, columns: [own, whole], before, below }: ColumnPlaces,
  widened: (move: Move) => TypedValue | undefined,
): TypedValue[] {
  const width = x.shape[3] as number;
  const [above, left] = before;
  const kernel = Array.from({ length: kernelColumns }, (_, column) => column);
  if (whole - own < Math.floor((kernelColumns - 1) / across)) {
    const reach = (whole - 1) * across + 1;
    return kernel.map((column) => {
      const shift = left - column;
      const moved = padded(g, x, [0, 0, above, shift], [0, 0, below, reach - width - shift]);
      return across === 1 ? moved : g.slice(moved, 3, 0, reach, across);
    });
  }
  const right = whole * across - width - left;
  const grows = below >= 0 && right >= 0;
  const wide =
    (grows ? widened({ above, below, left, right }) : undefined) ??
    padded(g, x, [0, 0, above, left], [0, 0, below, right]);
  const count = elementCount(wide.shape as number[]);
  const each = count / across;
  const byRemainder = across === 1 ? wide : g.transpose(g.reshape(wide, [each, across]), [1, 0]);
  const flat = g.reshape(byRemainder, [count]);
  return kernel.map((column) => {
    const from = (column % across) * each + Math.floor(column / across);
    return padded(g, flat, [-from], [from + each - count]);
  });
}

/** Adds zeros; a negative count takes elements away. */
function padded(
  g: GraphBuilder,
  x: TypedValue,
  before: readonly number[],
  after: readonly number[],
): TypedValue {
  if ([...before, ...after].every((count) => count === 0)) return x;
  return g.op('Pad', [x, g.ints([...before, ...after])]);
}
