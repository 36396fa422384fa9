import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import type { FeatureMap } from './layer-pairs.ts';

/** The height and width of an image. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

/** The size that both of two images can be pooled to. */
export function smallerSize(a: PictureSize, b: PictureSize): PictureSize {
  return { height: Math.min(a.height, b.height), width: Math.min(a.width, b.width) };
}

/**
 * Maps float32 [B, channels, H, W] pooled by their mean to another size and laid out as a vector for each place:
 * [B, height * width, channels]. Where sizes do not divide, each place is the mean of the pixels that it touches
 * (PyTorch's AdaptiveAvgPool2d).
 */
export function pooledPlaces(
  g: GraphBuilder,
  maps: TypedValue,
  from: PictureSize,
  to: PictureSize,
): TypedValue {
  const places = to.height * to.width;
  const flat = (x: TypedValue, size: number) => g.reshape(x, [0, 0, size]);
  if (from.height % to.height === 0 && from.width % to.width === 0) {
    const window = [from.height / to.height, from.width / to.width];
    const pooled = window.every((size) => size === 1)
      ? maps
      : g.op('AveragePool', [maps], { kernel_shape: window, strides: window });
    return g.transpose(flat(pooled, places), [0, 2, 1]);
  }
  const pixels = flat(maps, from.height * from.width);
  return g.transpose(g.matMul(pixels, g.constant(poolingMatrix(from, to))), [0, 2, 1]);
}

/** Which share each pixel (row) has in the mean of each place (column): float32 [H * W, height * width]. */
export function poolingMatrix(from: PictureSize, to: PictureSize): Tensor {
  const [rows, columns] = [windows(from.height, to.height), windows(from.width, to.width)];
  const places = to.height * to.width;
  const shares = new Float32Array(from.height * from.width * places);
  rows.forEach((row, y) => {
    columns.forEach((column, x) => {
      const share = 1 / ((row.end - row.start) * (column.end - column.start));
      for (let i = row.start; i < row.end; i++)
        for (let j = column.start; j < column.end; j++)
          shares[(i * from.width + j) * places + y * to.width + x] = share;
    });
  });
  return float32(shares, [from.height * from.width, places]);
}

/** The pixels [start, end) along one side that each of `to` places touches. */
function windows(from: number, to: number): { start: number; end: number }[] {
  return Array.from({ length: to }, (_, place) => ({
    start: Math.floor((place * from) / to),
    end: Math.ceil(((place + 1) * from) / to),
  }));
}

/** `7x7`, for the names of taps. */
export function formatSize({ height, width }: PictureSize): string {
  return `${height}x${width}`;
}

/** The mean over all places: [B, channels, H, W] -> [B, channels]. */
export function meanOverPlaces(g: GraphBuilder, maps: TypedValue): TypedValue {
  return g.reduceMean(maps, { axes: [2, 3], keepDims: false });
}

/** The widths of a projection between the channels of two maps. */
export function channelsOf(student: FeatureMap, teacher: FeatureMap): readonly [number, number] {
  return [student.channels, teacher.channels];
}
