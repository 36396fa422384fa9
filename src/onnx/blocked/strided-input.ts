import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { float32, tensor } from '../tensor.ts';
import { blockedConvolution, type ImageShape, weightBlocks } from './kernels.ts';
import type { ConvolutionPlace } from './noted-convolution.ts';
import { convolutionShared, shapedAs, sharedWeights, withShared } from './shared-blocks.ts';

/** What the gradient of a strided convolution's input is computed from. */
export interface StridedInputParts extends ConvolutionPlace {
  /** In blocks: [N, O, H', W'], or with samples side by side. */
  readonly dy: TypedValue;
  /** The shape of dy, [N, O, H', W']. */
  readonly answers: ImageShape;
  /** [O, C, K, L]. */
  readonly w: TypedValue;
  /** The shape of the input, [N, C, H, W]. */
  readonly image: ImageShape;
}

/** Along one axis: which place of the kernel meets which pixel of dy, for each remainder of the input's pixels by the stride. */
interface Phases {
  readonly count: number;
  /** Places of dy that a pixel meets, and how many of them lie before its own. */
  readonly taps: number;
  readonly before: number;
  /** Zeros behind dy. */
  readonly after: number;
  /** Pixels of each phase. */
  readonly size: number;
  /** By phase and tap: the kernel's place, -1 for none. */
  readonly places: readonly (readonly number[])[];
}

/**
 * d loss / d x of y = Conv(x, w) with a stride. The pixels of x whose remainders by the stride are the same make a phase, and each
 * phase is a convolution of dy with some places of the kernel, of stride 1 (Shi et al. 2016, "Is the deconvolution layer the
 * same as a convolutional layer?"). All phases are computed by one convolution, as channels, and their pixels put side by
 * side by a Gather, both on all threads; a ConvTranspose adds its products up on one. The gradient of 3x3 with stride 2 from
 * 64 channels of 14x14 to 32 of 28x28, 128 samples: 6.3 ms and 8.5 (docs/performance.md).
 *
 * @returns dx in blocks, [N, C, H, W] or with samples side by side; undefined where a phase meets no place of the kernel (1x1),
 * or where channels are no whole blocks
 */
export function stridedInput(
  g: GraphBuilder,
  { geometry, group, dy, answers, w, image }: StridedInputParts,
  block: number,
): TypedValue | undefined {
  const { kernel, strides, dilations, before } = geometry;
  const [batch, channels, ...sizes] = image;
  const outputs = answers[1];
  const shared = convolutionShared(outputs, channels, block);
  if (group !== 1 || dilations.some((step) => step !== 1) || !shared || batch % shared !== 0)
    return undefined;
  if (outputs * shared < block) return undefined;
  const axes = sizes.map((size, axis) =>
    phasesOf(
      { kernel: kernel[axis], stride: strides[axis], before: before[axis] } as Along,
      size,
      answers[axis + 2] as number,
    ),
  );
  const [down, across] = axes;
  if (!down || !across) return undefined;
  const made = blockedConvolution(
    g,
    {
      x: shapedAs(g, dy, withShared(answers, shared)),
      weights: weightBlocks(g, phaseWeights(g, w, [down, across], shared), block, false),
    },
    {
      kernel_shape: [down.taps, across.taps],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [down.before, across.before, down.after, across.after],
      group: 1,
    },
  );
  const whole = withShared(image, shared);
  const rows = g.reshape(made, [batch / shared, -1, block]);
  return g.reshape(g.gather(rows, sideBySide(g, whole, [down, across], block), 1), whole);
}

interface Along {
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
}

/** Pixel s q + p of the input meets place k of the kernel in pixel q + (p + before - k) / s of dy, where that is whole. */
function phasesOf({ kernel, stride, before }: Along, size: number, answers: number): Phases | undefined {
  const phases = Array.from({ length: stride }, (_, phase) =>
    Array.from({ length: kernel }, (_, place) => ({
      place,
      moved: (phase + before - place) / stride,
    })).filter(({ moved }) => Number.isInteger(moved)),
  );
  const moves = phases.flat().map(({ moved }) => moved);
  const [first, last] = [Math.min(...moves), Math.max(...moves)];
  const pixels = Math.ceil(size / stride);
  const after = pixels - 1 + last - (answers - 1);
  if (phases.some((taps) => taps.length === 0) || first > 0 || after < 0) return undefined;
  const taps = last - first + 1;
  return {
    count: stride,
    taps,
    before: -first,
    after,
    size: pixels,
    places: phases.map((met) =>
      Array.from({ length: taps }, (_, tap) => met.find(({ moved }) => moved === first + tap)?.place ?? -1),
    ),
  };
}

/** The kernel [O, C, K, L] as that of all phases, [phases k C, k O, taps, taps], with zeros where a phase meets no place. */
function phaseWeights(
  g: GraphBuilder,
  w: TypedValue,
  [down, across]: readonly [Phases, Phases],
  shared: number,
): TypedValue {
  const [outputs, channels, rows, columns] = w.shape as [number, number, number, number];
  const none = rows * columns;
  const places = down.places.flatMap((rowTaps) =>
    across.places.flatMap((columnTaps) =>
      rowTaps.flatMap((row) =>
        columnTaps.map((column) => (row < 0 || column < 0 ? none : row * columns + column)),
      ),
    ),
  );
  const flat = g.reshape(g.transpose(w, [1, 0, 2, 3]), [channels, outputs, none]);
  const zero = g.constant(float32(new Float32Array(channels * outputs), [channels, outputs, 1]));
  const indices = g.constant(tensor('int32', [places.length], Int32Array.from(places)));
  const taps = g.reshape(g.gather(g.concat([flat, zero], 2), indices, 2), [
    channels,
    outputs,
    1,
    places.length,
  ]);
  const [together, from] = [channels * shared, outputs * shared];
  const phases = down.count * across.count;
  const parts = g.reshape(sharedWeights(g, taps, shared), [together, from, phases, down.taps, across.taps]);
  return g.reshape(g.transpose(parts, [2, 0, 1, 3, 4]), [phases * together, from, down.taps, across.taps]);
}

/** For each pixel of an image in blocks, where it is among those of all phases: their channels lie one phase after another. */
function sideBySide(
  g: GraphBuilder,
  [, channels, height, width]: ImageShape,
  [down, across]: readonly [Phases, Phases],
  block: number,
): TypedValue {
  const blocks = channels / block;
  const indices = new Int32Array(blocks * height * width);
  let next = 0;
  for (let part = 0; part < blocks; part++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const phase = (row % down.count) * across.count + (column % across.count);
        const pixel = Math.floor(row / down.count) * across.size + Math.floor(column / across.count);
        indices[next++] = (phase * blocks + part) * down.size * across.size + pixel;
      }
  return g.constant(tensor('int32', [indices.length], indices));
}
